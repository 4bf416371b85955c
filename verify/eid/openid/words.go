package openid

// fieldWord is what a field is called to citizens.
type fieldWord struct{ VI, EN string }

// word names a field of package eid on the page; one that is not known is told as it is,
// so that nothing is asked for in silence.
func word(field string) fieldWord {
	switch field {
	case "age_over_14":
		return fieldWord{"đã đủ 14 tuổi hay chưa", "whether 14 or older"}
	case "age_over_18":
		return fieldWord{"đã đủ 18 tuổi hay chưa", "whether 18 or older"}
	case "birth":
		return fieldWord{"ngày sinh", "date of birth"}
	case "document_expiry":
		return fieldWord{"ngày thẻ hết hạn", "card's expiry"}
	case "ethnicity":
		return fieldWord{"dân tộc", "ethnicity"}
	case "name":
		return fieldWord{"họ và tên", "name"}
	case "nationality":
		return fieldWord{"quốc tịch", "nationality"}
	case "number":
		return fieldWord{"số định danh cá nhân", "personal number"}
	case "origin":
		return fieldWord{"quê quán", "place of origin"}
	case "residence":
		return fieldWord{"nơi cư trú", "place of residence"}
	case "sex":
		return fieldWord{"giới tính", "sex"}
	}
	return fieldWord{field, field}
}

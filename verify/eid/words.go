package eid

// FieldWord is what people call a field, in Vietnamese and in English; a field that is not
// known by its own name.
func FieldWord(field string) (vi, en string) {
	switch field {
	case "age_over_14":
		return "đã đủ 14 tuổi hay chưa", "whether 14 or older"
	case "age_over_18":
		return "đã đủ 18 tuổi hay chưa", "whether 18 or older"
	case "birth":
		return "ngày sinh", "date of birth"
	case "document_expiry":
		return "ngày thẻ hết hạn", "card's expiry"
	case "ethnicity":
		return "dân tộc", "ethnicity"
	case "name":
		return "họ và tên", "name"
	case "nationality":
		return "quốc tịch", "nationality"
	case "number":
		return "số định danh cá nhân", "personal number"
	case "origin":
		return "quê quán", "place of origin"
	case "residence":
		return "nơi cư trú", "place of residence"
	case "sex":
		return "giới tính", "sex"
	}
	return field, field
}

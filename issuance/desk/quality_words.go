package desk

import "strings"

// detailWords say the details of checks that are always said in the same words.
var detailWords = map[string]word{
	"with what was ordered to be printed":     {vi: "bằng thông tin đã đặt in"},
	"the card has none":                       {vi: "thẻ không có"},
	"the reader names no UID":                 {vi: "đầu đọc không cho biết UID"},
	"the body was printed and not read":       {vi: "thẻ đã in nhưng chưa đọc lại phần in"},
	"the body was not printed":                {vi: "thẻ chưa in"},
	"not asked for":                           {vi: "không yêu cầu"},
	"the UID stays the same":                  {vi: "UID không đổi"},
	"what is printed does not open the chip":  {vi: "thông tin in không mở được chip"},
	"what was ordered does not open the chip": {vi: "thông tin đã đặt in không mở được chip"},
	"it does not open a second time":          {vi: "không mở được lần thứ hai"},
	"no terminal that may read them":          {vi: "không có thiết bị được quyền đọc"},
}

// DetailText says the detail of a QualityCheck in a language, vi or en; false where it has
// been said in English only.
func DetailText(detail, lang string) (string, bool) {
	if lang != "vi" || detail == "" {
		return detail, true
	}
	if w, ok := detailWords[detail]; ok {
		return w.vi, true
	}
	if n, ok := strings.CutSuffix(detail, " files"); ok && strings.Trim(n, "0123456789") == "" {
		return n + " tệp", true
	}
	return detail, false
}

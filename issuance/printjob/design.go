package printjob

import (
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// design is front and back.
type design [2]page

// page is one side: what always stands there, and where the person's own has its place.
type page struct {
	fixed    []fixed
	fields   []field
	portrait Box // none if empty
	qr       Box
	frames   []Box // left for what the desk does not print: the chip, fingerprints
	zone     bool
	specimen Box // its lower left corner
}

// fixed is a text of the design's own, in the middle of x or, with left, from it on.
type fixed struct {
	text    string
	x, y    float64 // of the base line
	size    float64 // in points
	leftish bool
}

// field is the place of a text about the person.
type field struct {
	name  string
	text  func(Card) string
	box   Box
	size  float64 // the largest; what does not fit is set smaller
	lines int
}

// smallest is the smallest size of letters, in points, that people can read.
const smallest = 3.5

// designs are those of the two Vietnamese cards in the hands of people: which fields stand
// on which side is that of Circular 06/2021 and of Circular 16/2024; measures are ours.
var designs = map[string]design{
	"vn-cccd-2021": {
		{
			fixed: []fixed{
				{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 43, 5, 6, false},
				{"Độc lập - Tự do - Hạnh phúc", 43, 7.6, 5, false},
				{"SOCIALIST REPUBLIC OF VIET NAM", 43, 9.8, 4, false},
				{"CĂN CƯỚC CÔNG DÂN", 43, 14.2, 9, false},
				{"Citizen Identity Card", 43, 16.6, 5, false},
				{"Số / No.", 26, 21.4, 4, true},
				{"Họ và tên / Full name", 26, 24.8, 4, true},
				{"Ngày sinh / Date of birth", 26, 31.4, 4, true},
				{"Giới tính / Sex", 26, 34.4, 4, true},
				{"Quốc tịch / Nationality", 48, 34.4, 4, true},
				{"Quê quán / Place of origin", 26, 37.4, 4, true},
				{"Nơi thường trú / Place of residence", 26, 43.6, 4, true},
				{"Có giá trị đến / Date of expiry", 3, 49.4, 3.5, true},
			},
			fields: []field{
				{"number", number, Box{36, 18.2, 30, 4}, 9, 1},
				{"name", name, Box{26, 25.6, 57, 4}, 8, 1},
				{"birth", birth, Box{48, 29.1, 34, 3.4}, 6.5, 1},
				{"sex", sex, Box{38, 32.3, 9, 3.2}, 6, 1},
				{"nationality", nationality, Box{65, 32.3, 18, 3.2}, 6, 1},
				{"origin", origin, Box{26, 38, 57, 4}, 6, 2},
				{"residence", residence, Box{26, 44.2, 57, 6.6}, 6, 3},
				{"expiry", expiry, Box{3, 49.8, 22, 3}, 6, 1},
			},
			portrait: Box{3.5, 17, 20, 30},
			qr:       Box{67, 2.5, 16, 16},
			specimen: Box{3, 15.6, 0, 0},
		},
		{
			fixed: []fixed{
				{"Đặc điểm nhận dạng / Personal identification", 4, 4.6, 4, true},
				{"Ngày, tháng, năm / Date, month, year", 4, 12.2, 4, true},
				{"CỤC TRƯỞNG CỤC CẢNH SÁT", 40, 16.2, 4.5, false},
				{"QUẢN LÝ HÀNH CHÍNH VỀ TRẬT TỰ XÃ HỘI", 40, 18.4, 4.5, false},
				{"Ngón trỏ trái / Left", 65.5, 28.6, 3, false},
				{"Ngón trỏ phải / Right", 77.5, 28.6, 3, false},
			},
			fields: []field{
				{"features", features, Box{4, 5.2, 54, 4.6}, 6, 2},
				{"issued", issued, Box{35, 10.1, 23, 3.2}, 6, 1},
			},
			frames:   []Box{{6, 15, 13, 11}, {60.5, 13, 10, 13}, {72.5, 13, 10, 13}},
			zone:     true,
			specimen: Box{62, 6, 0, 0},
		},
	},
	"vn-cc-2024": {
		{
			fixed: []fixed{
				{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", 47, 5, 6, false},
				{"Độc lập - Tự do - Hạnh phúc", 47, 7.6, 5, false},
				{"SOCIALIST REPUBLIC OF VIET NAM", 47, 9.8, 4, false},
				{"CĂN CƯỚC", 47, 14.2, 9, false},
				{"IDENTITY CARD", 47, 16.8, 5, false},
				{"Số định danh cá nhân / Personal identification number", 26, 21, 4, true},
				{"Họ, chữ đệm và tên khai sinh / Full name", 26, 27.6, 4, true},
				{"Ngày, tháng, năm sinh / Date of birth", 26, 34.2, 4, true},
				{"Giới tính / Sex", 26, 40.8, 4, true},
				{"Quốc tịch / Nationality", 52, 40.8, 4, true},
			},
			fields: []field{
				{"number", number, Box{26, 21.4, 56, 4}, 9, 1},
				{"name", name, Box{26, 28, 57, 4}, 8, 1},
				{"birth", birth, Box{26, 34.8, 56, 3.6}, 7, 1},
				{"sex", sex, Box{26, 41.4, 20, 3.6}, 7, 1},
				{"nationality", nationality, Box{52, 41.4, 30, 3.6}, 7, 1},
			},
			portrait: Box{3.5, 17, 20, 30},
			specimen: Box{26, 50.6, 0, 0},
		},
		{
			fixed: []fixed{
				{"Nơi cư trú / Place of residence", 4, 4.2, 4, true},
				{"Nơi đăng ký khai sinh / Place of birth", 4, 12, 4, true},
				{"Ngày, tháng, năm cấp / Date of issue", 4, 19.4, 4, true},
				{"Ngày, tháng, năm hết hạn / Date of expiry", 4, 25, 4, true},
				{"BỘ CÔNG AN", 52, 22.4, 6, false},
				{"MINISTRY OF PUBLIC SECURITY", 52, 24.8, 3.5, false},
			},
			fields: []field{
				{"residence", residence, Box{4, 4.6, 60, 5}, 6, 2},
				{"origin", origin, Box{4, 12.4, 60, 5}, 6, 2},
				{"issued", issued, Box{4, 19.8, 28, 3.2}, 6, 1},
				{"expiry", expiry, Box{4, 25.4, 28, 3.2}, 6, 1},
			},
			frames:   []Box{},
			qr:       Box{67, 3, 16, 16},
			zone:     true,
			specimen: Box{67, 24, 0, 0},
		},
	},
}

func number(c Card) string      { return string(c.Person.Number) }
func name(c Card) string        { return strings.ToUpper(c.Person.FullName()) }
func birth(c Card) string       { return c.Person.Birth.Text() }
func nationality(c Card) string { return c.Person.Nationality }
func origin(c Card) string      { return c.Person.Origin }
func residence(c Card) string   { return c.Person.Residence }
func features(c Card) string    { return c.Person.Features }
func issued(c Card) string      { return vn.DateOf(c.Issued).Text() }
func expiry(c Card) string      { return c.Expiry.Text() }

func sex(c Card) string {
	if c.Person.Sex == "F" {
		return "Nữ"
	}
	return "Nam"
}

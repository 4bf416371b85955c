package main

import (
	"encoding/json"
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// citizen is an invented person: the province code 003 is not assigned to any province,
// so that no number of these can be anybody's.
type citizen struct {
	key    string // names the files of the demonstration
	person vn.Person
}

// citizens are the three for whom the demonstration makes cards. The first one's address
// and marks fill DG13 to the size that real cards have.
func citizens() []citizen {
	return []citizen{
		{"nghiem", vn.Person{
			Number: "003190000017", Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
			Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không",
			Origin:    "Xã Thử Nghiệm, Huyện Không Có Thật, Tỉnh Mẫu (mã tỉnh 003 chưa được cấp cho bất kỳ tỉnh nào, nên số định danh này không thể là của ai cả)",
			Residence: "Số 17, ngõ 3, phố Thử Nghiệm, Tổ dân phố số 9, Phường Không Có Thật, Thành phố Mẫu, Tỉnh Mẫu (SPECIMEN: địa chỉ này không có thật và chỉ dùng để thử nghiệm phần mềm cấp thẻ)",
			Features:  "Nốt ruồi cách 1 cm dưới trước đuôi mắt trái; sẹo chấm cách 2 cm trên sau cánh mũi phải (hư cấu, SPECIMEN: không mô tả người nào có thật)",
			Father:    "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ", Spouse: "Phạm Đức Chồng",
		}},
		{"mau", vn.Person{
			Number: "003085000025", Surname: "Trần", Given: "Văn Mẫu", Sex: "M", Birth: vn.Date{Year: 1985, Month: 10, Day: 3},
			Nationality: "Việt Nam", Ethnicity: "Tày", Religion: "Không", Origin: "Xã Mẫu, Tỉnh Mẫu",
			Residence: "Số 25, phố Mẫu, Tỉnh Mẫu", Features: "Không", Father: "Trần Văn Ông", Mother: "Lý Thị Bà",
		}},
		{"dat", vn.Person{
			Number: "003195000033", Surname: "Đặng", Given: "Thị Ví Dụ", Sex: "F", Birth: vn.Date{Year: 1995, Month: 6, Day: 21},
			Nationality: "Việt Nam", Ethnicity: "Mường", Religion: "Không", Origin: "Xã Ví Dụ, Tỉnh Mẫu",
			Residence: "Số 33, phố Ví Dụ, Tỉnh Mẫu", Features: "Không", Father: "Đặng Văn Bố", Mother: "Bùi Thị Mế",
		}},
	}
}

// file is what `tamthe enrol` takes.
func (c citizen) file() []byte {
	b, err := json.MarshalIndent(c.person, "", "  ")
	if err != nil {
		panic(err) // a struct of strings and dates always encodes
	}
	return append(b, '\n')
}

// zone is the printed MRZ's lines, as `tamthe verify` takes them.
func (c citizen) zone(issued vn.Expiry) (string, error) {
	m, err := vn.WriteMRZ(c.person, issued)
	if err != nil {
		return "", err
	}
	return strings.Join(m.Lines, "\n") + "\n", nil
}

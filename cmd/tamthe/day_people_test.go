//go:build linux && cgo

package main

import (
	"fmt"

	"github.com/tamthe/tamthe/card/profile/vn"
)

const dayCeremony = `title = "Keys of a SPECIMEN authority"
custodians = 2
[[step]]
do = "attend"
[[step]]
do = "say"
text = "The door is closed"
[[step]]
do = "ask"
text = "Number of the seal"
[[step]]
do = "act"
act = "csca"
with = { algorithm = "brainpoolP384r1" }
[[step]]
do = "act"
act = "ds"
with = { cap = "200", use-months = "1" }
[[step]]
do = "act"
act = "crl"
[[step]]
do = "export"
of = "csca.cer"
`

// queue are the people of the day: grown-ups, children, old people whose cards do not
// expire, twins, those with one name, and with a year of birth only.
func queue(n int) []citizen {
	surnames := []string{"Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "H'Mông", "Tôn Thất"}
	given := []string{"Thị Thử Nghiệm", "Văn Mẫu", "Thị Ví Dụ", "Đức Giả Định", "Ngọc Ánh Thử", "Hữu Kiểm", "Quỳnh Như Mẫu", "Thử"}
	var list []citizen
	for i := range n {
		p := vn.Person{
			Surname: surnames[i%len(surnames)], Given: given[i%len(given)], Sex: []string{"F", "M"}[i%2],
			Birth: vn.Date{Year: 1970 + i%30, Month: 1 + i%12, Day: 1 + i%28}, Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không",
			Origin: "Xã Thử Nghiệm, Tỉnh Mẫu", Residence: fmt.Sprintf("Số %d, phố Không Có Thật, Tỉnh Mẫu", i+1), Features: "Không",
			Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ",
		}
		switch i % 6 {
		case 1:
			p.Birth = vn.Date{Year: 2020, Month: 3, Day: 3} // a child
		case 2:
			p.Birth = vn.Date{Year: 1950, Month: 12, Day: 31} // a card without end
		case 4: // the twin of the one before
			p.Surname, p.Given, p.Sex = list[i-1].person.Surname, list[i-1].person.Given+" Em", list[i-1].person.Sex
			p.Birth, p.Residence = list[i-1].person.Birth, list[i-1].person.Residence
		case 5:
			p.Birth = vn.Date{Year: 1962}
		}
		century := map[bool]int{true: 2, false: 0}[p.Birth.Year >= 2000]
		if p.Sex == "F" {
			century++
		}
		p.Number = vn.Number(fmt.Sprintf("003%d%02d%06d", century, p.Birth.Year%100, 100+i))
		list = append(list, citizen{fmt.Sprintf("p%02d", i), p})
	}
	return list
}

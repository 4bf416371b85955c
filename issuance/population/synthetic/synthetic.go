// Package synthetic invents citizens: families with Vietnamese names, addresses of before
// and after July 2025, and the dirt that registers collect. Every personal number begins
// with 003, a code that no province ever had, so that none can be anybody's.
//
// Citizen i of a seed is always the same one, and is made without those before it: ten
// million of them need no storage.
package synthetic

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/population"
)

// Citizens are those of one seed.
type Citizens struct{ Seed uint64 }

// Max is how many citizens a seed has: the random part of a number tells a million families
// apart, the year of birth modulo four the four millions of them.
const Max = 4 * 4_000_000

// Citizen is an invented person, as an application gives them, and as the register has them.
type Citizen struct {
	Person vn.Person
	Record population.Record
}

// Citizen makes the citizen of that place, 0 ≤ i < Max. Four in a row are a family: father,
// mother, daughter and son.
func (c Citizens) Citizen(i int) Citizen {
	family := c.family(i / 4)
	return family[i%4]
}

// family makes the n-th family.
func (c Citizens) family(n int) [4]Citizen {
	r := rand.New(rand.NewPCG(c.Seed, uint64(n)))
	father := &vn.Person{Sex: "M", Surname: pick(r, surnames), Given: pick(r, middlesM) + " " + pick(r, givensM)}
	mother := &vn.Person{Sex: "F", Surname: pick(r, surnames), Given: pick(r, middlesF) + " " + pick(r, givensF)}
	daughter := &vn.Person{Sex: "F", Surname: father.Surname, Given: pick(r, middlesF) + " " + pick(r, givensF)}
	son := &vn.Person{Sex: "M", Surname: father.Surname, Given: pick(r, middlesM) + " " + pick(r, givensM)}
	born := 1955 + r.IntN(40)
	home, from := address(r), address(r)
	people := "Kinh"
	if r.IntN(6) == 0 {
		people = pick(r, peoples)
	}
	years := [4]int{born, born + r.IntN(5), born + 22 + r.IntN(4), born + 26 + r.IntN(4)}
	var all [4]Citizen
	for k, p := range []*vn.Person{father, mother, daughter, son} {
		year := years[k] - years[k]%4 + n/1_000_000
		p.Birth = vn.Date{Year: year, Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)}
		p.Number = number(p.Birth.Year, p.Sex, n)
		p.Nationality, p.Ethnicity, p.Religion, p.Features = "Việt Nam", people, "Không", "Không (SPECIMEN)"
		p.Origin, p.Residence = from.text(), home.text()
		if k >= 2 {
			p.Father, p.Mother = father.FullName(), mother.FullName()
		} else {
			p.Father = pick(r, surnames) + " " + pick(r, middlesM) + " " + pick(r, givensM)
			p.Mother = pick(r, surnames) + " " + pick(r, middlesF) + " " + pick(r, givensF)
		}
		all[k] = Citizen{*p, record(*p, from, home)}
	}
	all[0].marry(mother)
	all[1].marry(father)
	return all
}

func (c *Citizen) marry(p *vn.Person) {
	c.Person.Spouse = p.FullName()
	c.Record.Spouse = p.FullName()
}

// number is the personal number of a member of the n-th family.
func number(year int, sex string, n int) vn.Number {
	century := (year - 1900) / 100 * 2
	if sex == "F" {
		century++
	}
	return vn.Number(fmt.Sprintf("003%d%02d%06d", century, year%100, n%1_000_000))
}

// record is what a register without any dirt says of a person.
func record(p vn.Person, from, home place) population.Record {
	return population.Record{
		Number: p.Number, Name: p.FullName(), Sex: p.Sex, Birth: p.Birth, Ethnicity: p.Ethnicity, Religion: p.Religion,
		Origin: from.record(), Residence: home.record(), Father: p.Father, Mother: p.Mother,
	}
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// place is an address since July 2025: detail, commune or ward, province.
type place struct{ detail, ward, province, code string }

func address(r *rand.Rand) place {
	p := provinces[r.IntN(len(provinces))]
	return place{
		detail: fmt.Sprintf("Số %d, đường %s", 1+r.IntN(300), pick(r, streets)), ward: pick(r, wards), province: p.name, code: p.code,
	}
}

func (p place) text() string {
	kind := "Tỉnh "
	if strings.Contains(cities, p.province) {
		kind = "Thành phố "
	}
	return p.detail + ", " + p.ward + ", " + kind + p.province
}

func (p place) record() population.Place {
	return population.Place{Province: p.code, Detail: p.detail + ", " + p.ward, Country: "VN"}
}

package synthetic_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
)

var today = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)

// What the register says of a citizen whom nobody soiled is what the application says.
func TestCleanCitizens(t *testing.T) {
	c := synthetic.Citizens{Seed: 1}
	seen := map[vn.Number]bool{}
	for k := range 4000 {
		i := k
		if k%2 == 1 {
			i = synthetic.Max - 1 - k
		}
		one := c.Citizen(i)
		if err := one.Person.Check(); err != nil {
			t.Fatalf("citizen %d: %v", i, err)
		}
		n := one.Person.Number
		if seen[n] || !strings.HasPrefix(string(n), "003") || n.BirthYear() != one.Person.Birth.Year || n.Sex() != one.Person.Sex {
			t.Fatalf("citizen %d: number %s of a %s born in %d", i, n, one.Person.Sex, one.Person.Birth.Year)
		}
		seen[n] = true
		for _, f := range population.Reconcile(one.Person, one.Record, today) {
			if f.Class != population.Match {
				t.Errorf("citizen %d: %s: %s, %s", i, f.Field, f.Class, f.Cause)
			}
		}
	}
}

// Four citizens of each hundred thousandth family or so: no number is given twice.
func TestNumbersAreGivenOnce(t *testing.T) {
	c := synthetic.Citizens{Seed: 7}
	seen := map[vn.Number]int{}
	for million := range 4 {
		for family := range 3000 {
			for k := range 4 {
				i := (million*1_000_000+family)*4 + k
				n := c.Citizen(i).Person.Number
				if before, ok := seen[n]; ok {
					t.Fatalf("citizens %d and %d are both %s", before, i, n)
				}
				seen[n] = i
			}
		}
	}
}

// A thousand differences, each made in one field of one citizen, are each classified, in
// that field and in no other, as what they are. go test ./issuance/population/synthetic
// -run TestThousandDifferences -v prints the matrix.
func TestThousandDifferences(t *testing.T) {
	n := 1000
	if os.Getenv("TAMTHE_SOAK") != "" {
		n = 1_000_000
	}
	r := rand.New(rand.NewPCG(2026, 11))
	dirts := synthetic.Dirts()
	matrix := map[[2]population.Class]int{}
	kinds := map[string]map[population.Class]int{}
	for done, i := 0, 0; done < n; i++ {
		d := dirts[i%len(dirts)]
		one := synthetic.Citizens{Seed: 99}.Citizen(r.IntN(synthetic.Max))
		if !d.Apply(r, &one) {
			continue
		}
		done++
		got := population.Match
		for _, f := range population.Reconcile(one.Person, one.Record, today) {
			if f.Field == d.Field {
				got = f.Class
			} else if f.Class != population.Match {
				t.Errorf("%s: %s is %s, %s", d.Name, f.Field, f.Class, f.Cause)
			}
		}
		matrix[[2]population.Class{d.Class, got}]++
		if kinds[d.Name] == nil {
			kinds[d.Name] = map[population.Class]int{}
		}
		kinds[d.Name][got]++
		if got != d.Class {
			t.Errorf("%s: %s, want %s", d.Name, got, d.Class)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d differences\n%-12s %12s %12s %12s\n", n, "made \\ found", "match", "explainable", "mismatch")
	silent := 0
	for _, made := range []population.Class{population.Match, population.Explainable, population.Mismatch} {
		fmt.Fprintf(&b, "%-12s", made)
		for _, found := range []population.Class{population.Match, population.Explainable, population.Mismatch} {
			fmt.Fprintf(&b, " %12d", matrix[[2]population.Class{made, found}])
			if found > made {
				silent += matrix[[2]population.Class{made, found}]
			}
		}
		fmt.Fprintln(&b)
	}
	fmt.Fprintf(&b, "silent accepts: %d\n\n%-32s %-10s %-12s %8s %12s %9s\n", silent, "difference", "field", "made", "match", "explainable", "mismatch")
	for _, d := range dirts {
		found := kinds[d.Name]
		if len(found) == 0 {
			t.Errorf("%s was never made", d.Name)
		}
		fmt.Fprintf(&b, "%-32s %-10s %-12s %8d %12d %9d\n", d.Name, d.Field, d.Class, found[population.Match], found[population.Explainable], found[population.Mismatch])
	}
	t.Log(b.String())
	if silent != 0 {
		t.Errorf("%d silent accepts", silent)
	}
}

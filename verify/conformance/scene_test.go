package conformance

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// somebody is another nobody than the usual holder, of another age and sex.
var somebody = vn.Person{
	Number: "003078000041", Surname: "Đỗ", Given: "Văn Ví Dụ", Sex: "M", Birth: vn.Date{Year: 1978, Month: 11, Day: 5},
	Nationality: "Việt Nam", Origin: "Xã Mẫu, Tỉnh Mẫu", Residence: "Số 5, phố Mẫu, Tỉnh Mẫu", Ethnicity: "Tày", Religion: "Không",
	Features: "Không", Father: "Đỗ Văn Ông", Mother: "Lý Thị Bà",
}

// TestStageOfAnother plays with somebody else on the stage, every third play or with
// TAMTHE_SOAK all: the same verdict for the same reason.
func TestStageOfAnother(t *testing.T) {
	held := 0
	for i, p := range Plays() {
		if i%3 != 0 && os.Getenv("TAMTHE_SOAK") == "" {
			continue
		}
		s, err := Stage(t.Context(), p.ID, Cast{Person: somebody})
		if err != nil {
			t.Fatalf("%s: %v", p.ID, err)
		}
		if s.Got.Verdict != p.Verdict || p.Reason != "" && !slices.Contains(s.Got.Reasons, p.Reason) {
			t.Errorf("%s: %s %v (%s), expected %s %s", p.ID, s.Got.Verdict, s.Got.Reasons, s.Got.Detail, p.Verdict, p.Reason)
		}
		if s.Holds() {
			held++
			if _, err := s.Trust(); err != nil {
				t.Errorf("%s: %v", p.ID, err)
			}
		}
	}
	t.Logf("%d can be held into a reader", held)
	if _, err := Stage(t.Context(), "no such play", Cast{Person: somebody}); !errors.Is(err, ErrCase) {
		t.Error(err)
	}
}

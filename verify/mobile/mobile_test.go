package mobile

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
)

// phone is a contactless reader with a software chip in its field.
type phone struct {
	t    *testing.T
	chip *virtual.Chip
	lost bool
}

func (p *phone) Transceive(command []byte) ([]byte, error) {
	if p.lost {
		return nil, errors.New("android.nfc.TagLostException")
	}
	return p.chip.Exchange(p.t.Context(), command)
}
func (p *phone) MaxTransceiveLength() int { return 65279 }
func (p *phone) ExtendedLength() bool     { return true }

type counter struct{ files map[string]int }

func (c *counter) OnFile(name string, done, total int) { c.files[name] = done * 100 / total }

// TestInspect reads a German specimen through a phone's reader: the hashes in its SOD are
// shorter than their algorithm's, and no anchor is known.
func TestInspect(t *testing.T) {
	folder := fstest.MapFS{}
	for _, name := range []string{"DG1.bin", "DG2.bin", "EF.SOD.bin", "EF.CardAccess.bin"} {
		folder[name] = &fstest.MapFile{Data: testdata.Vectors(t, "lds/de-td1-defaultpersogt/"+name)}
	}
	chip, err := virtual.FromFolder(folder, virtual.FolderOptions{CAN: "500540", Rules: &gp.Rules{}, Limits: apdu.Limits{Command: 65279, Response: 65279}})
	if err != nil {
		t.Fatal(err)
	}
	tag := &phone{t: t, chip: chip}
	i, err := NewInspector(t.TempDir(), "checkpoint", 420)
	if err != nil {
		t.Fatal(err)
	}
	seen := &counter{map[string]int{}}
	r, err := i.InspectCAN(tag, "500540", time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).Unix(), seen)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text("vi")
	if err != nil || !strings.Contains(text, "KHÔNG HỢP LỆ") || r.Verdict() != "refuse" || r.Name() != "" || r.Portrait() != nil {
		t.Errorf("%s, %q, %v\n%s", r.Verdict(), r.Name(), err, text)
	}
	if !strings.Contains(r.Reason("vi"), ". ") || r.Reason("vi") == r.Reason("en") {
		t.Errorf("%q", r.Reason("vi"))
	}
	if json, err := r.JSON(); err != nil || !strings.Contains(json, `"verdict": "refuse"`) {
		t.Errorf("%s, %v", json, err)
	}
	if seen.files["EF.SOD"] != 100 {
		t.Errorf("progress %v", seen.files)
	}
	if _, err := i.InspectCAN(tag, "500541", 0, nil); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("wrong CAN: %v", err)
	}
	tag.lost = true
	if _, err := i.InspectCAN(tag, "500540", 0, nil); !errors.Is(err, apdu.ErrRemoved) {
		t.Errorf("lost: %v", err)
	}
	if _, err := i.InspectMRZ(tag, "nothing", 0, nil); err == nil {
		t.Error("nothing is a zone")
	}
	if _, err := NewInspector(t.TempDir(), "none", 0); err == nil {
		t.Error("there is no such policy")
	}
}

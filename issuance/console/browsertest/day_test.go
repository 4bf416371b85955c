package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
)

// citizen is an invented person: no province has the code 003. Chips of earlier issues
// were made out to her, too.
func citizen() vn.Person {
	return vn.Person{
		Number: "003190000017", Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
		Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không", Origin: "Xã Thử Nghiệm, Tỉnh Mẫu",
		Residence: "Số 17, ngõ 3, phố Thử Nghiệm, Phường Không Có Thật, Tỉnh Mẫu", Features: "Nốt ruồi cách 1 cm dưới trước đuôi mắt trái",
		Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ", Spouse: "Phạm Đức Chồng",
	}
}

// register serves a register of the population that knows the citizen, and names it in the
// office's settings.
func (o *office) register(t *testing.T) {
	t.Helper()
	person, err := json.Marshal(citizen())
	must(t, err)
	for name, text := range map[string]string{"person.json": string(person), "accounts.toml": "tokens = []\n[accounts]\nward-1 = \"secret of the ward\"\n", "home/register.secret": "secret of the ward\n"} {
		must(t, os.WriteFile(o.file(name), []byte(text), 0o600))
	}
	run(t, o.program, "serve", "register", "--db", o.file("register.db"), "--make", "50", "--seed", "9", "--person", o.file("person.json"))
	at := serve(t, o.program, "serve", "register", "--db", o.file("register.db"), "--accounts", o.file("accounts.toml"))
	must(t, os.WriteFile(o.file("home/config.toml"), fmt.Appendf(nil, "[office]\nname = \"ward-1\"\n[register]\nkind = \"soap\"\nurl = %q\naccount = \"ward-1\"\nsecret_file = \"register.secret\"\n", at+"/soap"), 0o600))
}

// A day at the office: an application from an empty page to a card in its holder's hand, by
// two officers; the checkpoint accepts that card, refuses its copy, and refers a card of
// whose issuer it knows nothing; the auditor proves the hand-over, and that nothing was
// rewritten since the morning.
func (o *office) day(t *testing.T) {
	for _, program := range []string{"pdftoppm", "zbarimg"} {
		if _, err := exec.LookPath(program); err != nil {
			testdata.Missing(t, "ocr", err.Error())
		}
	}
	o.register(t)
	faces := picture(t)
	must(t, os.WriteFile(o.file("face.jpg"), faces, 0o600))
	must(t, os.WriteFile(o.file("camera.mjpeg"), bytes.Repeat(faces, 30), 0o600))
	b := newTable(t)
	config := o.invited(t, "an", "binh", "chi")
	config["url"] = serve(t, o.program, "serve", "console", "--specimen", "--listen", "127.0.0.1:0")
	config["citizen"], config["can"] = citizen(), citizen().Number.CAN()
	config["face"], config["camera"] = o.file("face.jpg"), o.file("camera.mjpeg")
	card := o.file("card.chip")
	play(t, "day.mjs", config, map[string]hand{
		"put": func(what []string) (any, error) {
			switch what[0] {
			case "blank":
				return nil, b.put(func() (*virtual.Chip, error) { return virtual.Create(card, virtual.Config{}) })
			case "card":
				return nil, b.put(func() (*virtual.Chip, error) { return virtual.Load(card) })
			case "copy":
				return nil, b.put(func() (*virtual.Chip, error) { return copied(t, card) })
			case "stranger":
				return nil, b.put(func() (*virtual.Chip, error) { return virtual.Load(older(t)) })
			}
			return nil, fmt.Errorf("no such card: %s", what[0])
		},
		"prove": func(a []string) (any, error) {
			return run(t, o.program, "ledger", "receipt", "--verify", a[0], "--log-key", a[1]), nil
		},
		"clear": func([]string) (any, error) { return nil, b.clear() },
		"scan":  func(pdf []string) (any, error) { return scan(t, pdf[0], o.dir, time.Now()) },
	})
}

// scan reads a printed card as an officer does: a picture of the portrait's box, the code
// by a scanner, and the zone that one types, of a card made on that day.
func scan(t *testing.T, pdf, dir string, day time.Time) (any, error) {
	t.Helper()
	face, front := filepath.Join(dir, "printed"), filepath.Join(dir, "front")
	for _, args := range [][]string{
		{"-r", "300", "-x", "41", "-y", "200", "-W", "236", "-H", "354", pdf, face}, {"-r", "400", pdf, front},
	} {
		if out, err := exec.CommandContext(t.Context(), "pdftoppm", append([]string{"-singlefile", "-png", "-f", "1", "-l", "1"}, args...)...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("pdftoppm: %w: %s", err, out)
		}
	}
	code, err := exec.CommandContext(t.Context(), "zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", front+".png").Output()
	if err != nil {
		return nil, fmt.Errorf("zbarimg: %w", err)
	}
	c := citizen()
	zone, err := vn.WriteMRZ(c, c.ExpiryAt(day))
	if err != nil {
		return nil, err
	}
	return map[string]string{"number": string(c.Number), "mrz": strings.Join(zone.Lines, "\n"), "qr": strings.TrimSpace(string(code)), "face": face + ".png"}, nil
}

// older is the chip that issue B left, signed by an authority of its own.
func older(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "older.chip")
	must(t, os.WriteFile(path, testdata.Read(t, "history/b/can.chip"), 0o600))
	return path
}

// picture is a portrait: that of the older chip.
func picture(t *testing.T) []byte {
	t.Helper()
	files := t.TempDir()
	chip, err := virtual.Load(older(t))
	must(t, err)
	defer chip.Close()
	read(t, chip, files)
	b, err := os.ReadFile(filepath.Join(files, "DG2.bin"))
	must(t, err)
	list, err := lds.ParseDG2(b)
	must(t, err)
	return list[0].Image
}

// copied is what a forger makes of a card: all that can be read, on a chip with other keys.
func copied(t *testing.T, path string) (*virtual.Chip, error) {
	t.Helper()
	chip, err := virtual.Load(path)
	if err != nil {
		return nil, err
	}
	defer chip.Close()
	files := t.TempDir()
	read(t, chip, files)
	return virtual.FromFolder(os.DirFS(files), virtual.FolderOptions{CAN: citizen().Number.CAN(), Counterfeit: true})
}

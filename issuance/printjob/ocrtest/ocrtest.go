// Package ocrtest reads printed cards back for tests, with programs that know nothing of
// this project: poppler renders the print job, Tesseract reads the letters, ZBar the code.
package ocrtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/testdata"
)

// Read renders a print job and reads what stands on it: the zone, the code, the number on
// the front, and the portrait as a picture. It skips where a program is missing, unless
// TAMTHE_REQUIRE lists "ocr".
func Read(t testing.TB, design string, pdf []byte) printjob.Reading {
	t.Helper()
	for _, tool := range []string{"pdftoppm", "tesseract", "zbarimg"} {
		if _, err := exec.LookPath(tool); err != nil {
			testdata.Missing(t, "ocr", "no "+tool+" here (poppler-utils, tesseract-ocr, zbar-tools)")
		}
	}
	s := scan{t, t.TempDir()}
	if err := os.WriteFile(s.path("card.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	var r printjob.Reading
	box, _ := printjob.Portrait(design)
	picture, err := os.ReadFile(s.crop(printjob.Front, 300, box))
	if err != nil {
		t.Fatal(err)
	}
	r.Front.Portrait = picture
	r.Front.QR, r.Back.QR = s.code(printjob.Front), s.code(printjob.Back)
	r.Back.MRZ = s.zone()
	n := printjob.Places(design, printjob.Front)["number"]
	n = printjob.Box{X: n.X - 1, Y: n.Y - 0.5, W: n.W + 1, H: n.H + 1}
	r.Front.Fields = map[string]string{"number": s.text(s.crop(printjob.Front, 300, n), "7", "0123456789")}
	return r
}

// scan is a print job that lies in a folder.
type scan struct {
	t   testing.TB
	dir string
}

func (s scan) path(name string) string { return filepath.Join(s.dir, name) }

func (s scan) run(name string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// crop renders a part of a side and returns the picture's path.
func (s scan) crop(side printjob.Side, dpi int, b printjob.Box) string {
	s.t.Helper()
	px := func(mm float64) string { return fmt.Sprint(int(mm / 25.4 * float64(dpi))) }
	at := s.path(fmt.Sprintf("%s-%d-%.0f-%.0f", side, dpi, b.X, b.Y))
	n := fmt.Sprint(int(side) + 1)
	s.run("pdftoppm", "-singlefile", "-png", "-r", fmt.Sprint(dpi), "-f", n, "-l", n,
		"-x", px(b.X), "-y", px(b.Y), "-W", px(b.W), "-H", px(b.H), s.path("card.pdf"), at)
	return at + ".png"
}

func (s scan) text(picture, layout, letters string) string {
	s.t.Helper()
	return s.run("tesseract", picture, "-", "--psm", layout, "-l", "eng", "-c", "tessedit_char_whitelist="+letters,
		"-c", "load_system_dawg=0", "-c", "load_freq_dawg=0")
}

// zone reads the zone at several resolutions and takes for each place the character that
// most of them saw: Tesseract's English has never seen long rows of fillers, and takes one
// for a K now and then, each time another.
func (s scan) zone() string {
	s.t.Helper()
	lines, width := mrz.TD1.Size()
	votes := make([]map[byte]int, lines*width)
	for i := range votes {
		votes[i] = map[byte]int{}
	}
	for _, dpi := range []int{200, 250, 300, 350, 400} {
		picture := s.crop(printjob.Back, dpi, printjob.Box{Y: 31, W: printjob.Width, H: printjob.Height - 31})
		for l, line := range strings.Fields(s.text(picture, "6", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")) {
			if len(line) != width { // miscounted in a row of fillers at the end, or no use
				line = strings.TrimRight(line, "<K")
				line += strings.Repeat("<", max(0, width-len(line)))
			}
			if len(line) != width || l >= lines {
				continue
			}
			for i := range width {
				votes[l*width+i][line[i]]++
			}
		}
	}
	var b strings.Builder
	for i, v := range votes {
		if i > 0 && i%width == 0 {
			b.WriteByte('\n')
		}
		best := byte('?')
		for c, n := range v {
			if n > v[best] {
				best = c
			}
		}
		b.WriteByte(best)
	}
	return b.String()
}

// code is the QR code of a side, "" if there is none.
func (s scan) code(side printjob.Side) string {
	s.t.Helper()
	picture := s.crop(side, 400, printjob.Box{W: printjob.Width, H: printjob.Height})
	out, err := exec.Command("zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture).Output()
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(out), "\n")
}

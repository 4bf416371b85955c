package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/apdutest"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/printjob"
)

// act sends the form of a page that posts to action, with more in it.
func (b *consoleBrowser) act(page, action string, more url.Values) consolePage {
	b.t.Helper()
	form := formOf(b.t, b.get(page), action)
	for name, v := range more {
		form[name] = v
	}
	return b.post(action, form)
}

// main is what stands on a page, without what all pages have.
func (a consolePage) main() string {
	_, text, _ := strings.Cut(a.text, "<main")
	return text
}

// refused is act for what must fail: with that code.
func (b *consoleBrowser) refused(page, action, code string, more url.Values) {
	b.t.Helper()
	if a := b.wait(b.act(page, action, more)); a.code() != code {
		b.t.Errorf("%s: %q, not %q: %s", action, a.code(), code, a.main())
	}
}

// does is act for what must succeed and be told so.
func (b *consoleBrowser) does(page, action, want string, more url.Values) consolePage {
	b.t.Helper()
	a := b.wait(b.act(page, action, more))
	if a.code() != "" || a.status != http.StatusOK || !strings.Contains(a.text, want) {
		b.t.Fatalf("%s: %d %q lacks %q: %s", action, a.status, a.code(), want, a.main())
	}
	return a
}

// operator adds an operator to the rig's home.
func (r *consoleRig) operator(t *testing.T, name, roles string) {
	t.Helper()
	pass := r.deal.file(stageAuthority, "passphrase")
	if _, err := r.deal.as(r.stage, "an", "operator", "add", name, "--roles", roles, "--second", "binh", "--second-passphrase-file", pass, "--new-passphrase-file", pass); err != nil {
		t.Fatal(err)
	}
}

var appName, cardName = regexp.MustCompile(`A-[A-Z0-9]+`), regexp.MustCompile(`C-[A-Z0-9]+`)

// What goes wrong between a blank chip and its holder's hand: each thing has a code, and the
// work goes on.
func TestConsoleMishaps(t *testing.T) {
	r := newHomeRig(t, stageAuthority)
	r.operator(t, "chi", "approver,clerk,inspector,stock-keeper")
	r.url = r.serve(t, "console")
	an, binh, chi := r.browser(t), r.browser(t), r.browser(t)
	an.login("an")
	binh.login("binh")
	chi.login("chi")

	app := "/desk/applications/" + appName.FindString(an.application(nil, "face.jpg").path)
	shownExactly(t, binh, app)
	approvedAtOnce(t, app, binh, chi)
	card := resumedAfterRemoval(t, r, an, app)
	checkedAsPrinted(t, an, binh, app, card)

	// Handed to a representative only before the eyes of two clerks.
	proxy := url.Values{"identity": {"1"}, "taken": {"proxy"}}
	binh.refused(card, card+"/deliver", "four-eyes", proxy)
	proxy["second"], proxy["second-passphrase"] = []string{"binh"}, []string{testPassphrase}
	binh.refused(card, card+"/deliver", "four-eyes", proxy)
	proxy["second"], proxy["second-passphrase"] = []string{"chi"}, []string{"wrong"}
	binh.refused(card, card+"/deliver", "passphrase", proxy)
	proxy["second-passphrase"] = []string{testPassphrase}
	binh.does(card, card+"/deliver", `id="stand">đang có hiệu lực<`, proxy)
	cardInForce(t, an, binh, chi, app, card)
}

// shownExactly: the approver sees what the chip will hold, to the letter.
func shownExactly(t *testing.T, b *consoleBrowser, app string) {
	t.Helper()
	a := b.get(app)
	for _, want := range []string{"IDVNM1900000174003190000017&lt;&lt;7", "NGUYEN&lt;&lt;THI&lt;THU&lt;NGHIEM", `id="dg13"`, "<dd>Nguyễn Thị Thử Nghiệm</dd>"} {
		if !strings.Contains(a.text, want) {
			t.Errorf("the approver does not see %q: %s", want, a.main())
		}
	}
	for _, form := range []string{"cc01", "cc02"} {
		if a := b.get(app + "/paper/" + form); !strings.Contains(a.text, strings.ToUpper(form)) || !strings.Contains(a.text, "SPECIMEN") {
			t.Errorf("paper %s: %d", form, a.status)
		}
	}
	if a := b.get(app + "/paper/cc03"); a.code() != "state" {
		t.Errorf("a refusal of what was not refused: %q", a.code())
	}
	if a := b.get(app + "/paper/cc09"); a.code() != "page-missing" {
		t.Errorf("no such paper: %q", a.code())
	}
}

// approvedAtOnce: two officers approve at once; one approval is recorded and the other is told
// whose it is.
func approvedAtOnce(t *testing.T, app string, officers ...*consoleBrowser) {
	t.Helper()
	var forms []url.Values
	for _, b := range officers {
		forms = append(forms, formOf(t, b.get(app), app+"/approve"))
	}
	got := make([]consolePage, len(officers))
	var all sync.WaitGroup
	for i, b := range officers {
		all.Go(func() { got[i] = b.post(app+"/approve", forms[i]) })
	}
	all.Wait()
	codes := map[string]int{}
	for _, a := range got {
		codes[a.code()]++
	}
	// Who is second by a moment finds the first at work.
	if codes[""] != 1 || codes["already-approved"]+codes["leased"] != 1 {
		t.Fatalf("two approvals at once: %v", codes)
	}
	if a := officers[0].get(app); strings.Count(a.text, "<td>duyệt</td>") != 1 {
		t.Errorf("not one approval: %s", a.main())
	}
}

// resumedAfterRemoval: a card that was pulled out is gone on with, by the same chip only.
func resumedAfterRemoval(t *testing.T, r *consoleRig, an *consoleBrowser, app string) string {
	t.Helper()
	r.blank(t)
	r.connect = func() (*reader, error) {
		card, err := (&chipSlot{filepath.Join(r.dir, "card.chip")}).open()
		if err == nil {
			card.Wire = apdutest.With(card.Wire, apdutest.Remove(40))
		}
		return card, err
	}
	an.refused(app, app+"/make", "card-removed", nil)
	if a := an.get(app); !strings.Contains(a.text, `id="begun"`) {
		t.Errorf("the page does not say that the card was begun: %s", a.main())
	}
	r.connect = nil
	path := filepath.Join(r.dir, "card.chip")
	begun, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r.blank(t)
	an.refused(app, app+"/make", "wrong-chip", nil)
	if err := os.WriteFile(path, begun, 0o600); err != nil {
		t.Fatal(err)
	}
	form := formOf(t, an.get(app), app+"/make")
	first := an.post(app+"/make", form)
	again := an.post(app+"/make", form)
	if again.path != first.path && !strings.Contains(again.path, "/desk/cards/") {
		t.Errorf("sent twice, it leads to %s and %s", first.path, again.path)
	}
	a := an.wait(first)
	if a.code() != "" || cardName.FindString(a.path) == "" {
		t.Fatalf("not gone on with: %q %s", a.code(), a.main())
	}
	return a.path
}

// checkedAsPrinted: a card that was printed passes with a whole reading of its body only.
func checkedAsPrinted(t *testing.T, an, binh *consoleBrowser, app, card string) {
	t.Helper()
	a := an.act(card, card+"/print", nil)
	if a.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(a.text, "%PDF-") {
		t.Fatalf("no print job: %d %q", a.status, a.code())
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(an.r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var who vn.Person
	if err := json.Unmarshal([]byte(read("person.json")), &who); err != nil {
		t.Fatal(err)
	}
	check := func(values map[string]string, face string) consolePage {
		for name, v := range formOf(t, binh.get(card), card+"/check") {
			if _, set := values[name]; !set {
				values[name] = v[0]
			}
		}
		return binh.wait(binh.uploadAs("face", card+"/check", values, face))
	}
	whole := map[string]string{"number": string(who.Number), "mrz": strings.ToLower(read("mrz.txt")), "qr": vn.EncodeQR(who, "", time.Now())}
	face, err := jpeg.Decode(strings.NewReader(read("face.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]image.Image{"box.jpg": boxed(face), "other.jpg": upsideDown(boxed(face))} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(an.r.dir, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		change     map[string]string
		face, code string
	}{
		{map[string]string{"qr": ""}, "box.jpg", "optical"},
		{map[string]string{"number": "003190000018"}, "box.jpg", "unreadable"},
		{nil, "", "optical"},
		{nil, "other.jpg", "optical"},
	} {
		values := map[string]string{}
		for k, v := range whole {
			values[k] = v
		}
		for k, v := range c.change {
			values[k] = v
		}
		if a := check(values, c.face); !strings.Contains(a.text, "Thẻ KHÔNG đạt") || !strings.Contains(a.text, `id="quality-code">`+c.code+`<`) || !strings.Contains(a.text, `id="stand">đã in<`) {
			t.Errorf("%v: passed, or recorded: %q %s", c.change, a.code(), a.main())
		}
	}
	if a := check(whole, "box.jpg"); !strings.Contains(a.text, "Thẻ đạt") || !strings.Contains(a.text, `id="stand">đã kiểm tra<`) {
		t.Fatalf("not passed: %q %s", a.code(), a.main())
	}
}

// cardInForce: what may become of a card that is in its holder's hand.
func cardInForce(t *testing.T, an, binh, chi *consoleBrowser, app, card string) {
	t.Helper()
	// A complaint is settled by somebody else than who took it in.
	binh.does(app, app+"/complain", `id="stand">bị khiếu nại<`, url.Values{"reason": {"print"}})
	binh.refused(app, app+"/settle", "four-eyes", url.Values{"reason": {"upheld"}})
	chi.refused(app, app+"/settle", "reason", url.Values{"reason": {"perhaps"}})
	chi.does(app, app+"/settle", `id="stand">đã trả thẻ<`, url.Values{"reason": {"upheld"}})

	// Held back, put in force again, revoked; who has not the role is offered nothing.
	if a := chi.get(card); strings.Contains(a.text, card+"/suspend") {
		t.Error("a clerk is offered to suspend a card")
	}
	if a := chi.post(card+"/suspend", url.Values{"form": {"0123456789abcdef"}, "reason": {"prison"}}); a.code() != "role" {
		t.Errorf("a clerk suspends a card: %q", a.code())
	}
	binh.refused(card, card+"/suspend", "reason", url.Values{"reason": {"because"}})
	binh.does(card, card+"/suspend", `id="stand">tạm giữ hiệu lực<`, url.Values{"reason": {"reported"}})
	binh.does(card, card+"/resume", `id="stand">đang có hiệu lực<`, url.Values{"reason": {"found"}})
	if a := an.get("/desk/new?replaces=" + cardName.FindString(card)); !strings.Contains(a.text, cardName.FindString(card)) || a.code() != "" {
		t.Errorf("no form to replace it: %d %q", a.status, a.code())
	}
	a := an.application(func(v map[string]string) { v["reason"], v["replaces"] = "damaged", cardName.FindString(card) }, "face.jpg")
	second := "/desk/applications/" + appName.FindString(a.path)
	if a.code() != "" {
		t.Fatalf("not replaced: %q %s", a.code(), a.main())
	}
	an.refused(second, second+"/cancel", "reason", nil)
	an.does(second, second+"/cancel", `id="stand">đã rút<`, url.Values{"reason": {"withdrawn"}})
	binh.does(card, card+"/revoke", `id="stand">đã thu hồi<`, url.Values{"reason": {"damaged"}})
	if a := binh.post(card+"/resume", url.Values{"form": {"0123456789abcdeg"}, "reason": {"found"}}); a.code() != "state" {
		t.Errorf("a revoked card is in force again: %q", a.code())
	}
	binh.does(card, card+"/return", `id="stand">đã thu lại<`, nil)
	an.refused(card, card+"/destroy", "four-eyes", nil)
	an.does(card, card+"/destroy", `id="stand">đã tiêu hủy<`, url.Values{"second": {"binh"}, "second-passphrase": {testPassphrase}})
	if a := an.get("/desk/find?q=" + strings.ToLower(cardName.FindString(card))); a.path != card {
		t.Errorf("it is not found: %s", a.path)
	}
	if a := an.get("/desk/find?q=C-0000000000"); a.code() != "unknown" || a.status != http.StatusNotFound {
		t.Errorf("a card that is not there: %d %q", a.status, a.code())
	}
}

// A portrait that cannot be used, or should not, is told so before an application is opened,
// and one that should not may be accepted by whoever looked at it.
func TestConsolePortraits(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	an := r.browser(t)
	an.login("an")
	face, err := os.ReadFile(filepath.Join(r.dir, "face.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	good, err := jpeg.Decode(bytes.NewReader(face))
	if err != nil {
		t.Fatal(err)
	}
	for code, img := range map[string]image.Image{
		"portrait-shape":   crop(good, image.Rect(0, 0, 480, 480)),
		"portrait-small":   scale(good, 240, 320),
		"portrait-dark":    lit(good, 0.2),
		"portrait-bright":  lit(good, 4),
		"portrait-flat":    image.NewUniform(color.Gray{128}),
		"portrait-blurred": scale(scale(good, 24, 32), 480, 640),
	} {
		var b bytes.Buffer
		if u, ok := img.(*image.Uniform); ok {
			img = crop(u, image.Rect(0, 0, 480, 640))
		}
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.dir, code+".jpg"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		a := an.application(nil, code+".jpg")
		if a.code() != "portrait-quality" || !strings.Contains(a.text, "<code>"+code+"</code>") || !strings.Contains(a.text, `src="data:image/jpeg;base64,`) {
			t.Errorf("%s: %d %q: %s", code, a.status, a.code(), a.main())
		}
	}
	a := an.application(func(v map[string]string) { v["portrait-data"] = "no base64" }, "")
	if a.code() != "page-form" {
		t.Errorf("a portrait that is no base64: %q", a.code())
	}
	if a := an.application(func(v map[string]string) { v["features"] = strings.Repeat("a", 3<<20) }, "face.jpg"); a.code() != "page-too-large" {
		t.Errorf("a form that is too large: %q", a.code())
	}
	if a := an.application(func(v map[string]string) { v["portrait-accepted"] = "1" }, "portrait-small.jpg"); appName.FindString(a.path) == "" {
		t.Errorf("one that was accepted: %q", a.code())
	} else if !strings.Contains(an.get(a.path).text, "portrait-small") {
		t.Error("the approver is not told of the portrait's flaws")
	}
}

// boxed is what one photographs of a card: the portrait's box, with the portrait in its middle.
func boxed(face image.Image) image.Image {
	box, _ := printjob.Portrait(desk.Profile)
	box.X, box.Y = 0, 0
	in := box.Within(face.Bounds().Dx(), face.Bounds().Dy())
	const dots = 20 // a millimetre
	out := image.NewRGBA(image.Rect(0, 0, int(box.W*dots), int(box.H*dots)))
	for i := range out.Pix {
		out.Pix[i] = 250
	}
	small := scale(face, int(in.W*dots), int(in.H*dots))
	for y := range small.Bounds().Dy() {
		for x := range small.Bounds().Dx() {
			out.Set(int(in.X*dots)+x, int(in.Y*dots)+y, small.At(x, y))
		}
	}
	return out
}

func upsideDown(img image.Image) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(b.Min.X+x, b.Min.Y+y, img.At(b.Max.X-1-x, b.Max.Y-1-y))
		}
	}
	return out
}

func crop(img image.Image, r image.Rectangle) image.Image {
	out := image.NewRGBA(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}

// scale draws a picture at another size, smoothly.
func scale(img image.Image, w, h int) image.Image {
	out, b := image.NewRGBA(image.Rect(0, 0, w, h)), img.Bounds()
	at := func(x, y int) color.RGBA {
		return color.RGBAModel.Convert(img.At(min(max(x, 0), b.Dx()-1), min(max(y, 0), b.Dy()-1))).(color.RGBA)
	}
	mix := func(a, b uint8, f float64) float64 { return float64(a)*(1-f) + float64(b)*f }
	for y := range h {
		for x := range w {
			fx, fy := (float64(x)+0.5)*float64(b.Dx())/float64(w)-0.5, (float64(y)+0.5)*float64(b.Dy())/float64(h)-0.5
			x0, y0 := int(max(fx, 0)), int(max(fy, 0))
			dx, dy := max(fx, 0)-float64(x0), max(fy, 0)-float64(y0)
			p, q, s, u := at(x0, y0), at(x0+1, y0), at(x0, y0+1), at(x0+1, y0+1)
			c := func(a, b, c, d uint8) uint8 { return uint8(mix(a, b, dx)*(1-dy) + mix(c, d, dx)*dy) }
			out.SetRGBA(x, y, color.RGBA{c(p.R, q.R, s.R, u.R), c(p.G, q.G, s.G, u.G), c(p.B, q.B, s.B, u.B), 255})
		}
	}
	return out
}

// lit is a picture with other light.
func lit(img image.Image, by float64) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(b)
	f := func(v uint8) uint8 { return uint8(min(255, float64(v)*by)) }
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			out.SetRGBA(x, y, color.RGBA{f(c.R), f(c.G), f(c.B), 255})
		}
	}
	return out
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/virtual"
)

// formOf are the hidden fields of the form that posts to action.
func formOf(t *testing.T, a consolePage, action string) url.Values {
	t.Helper()
	_, form, ok := strings.Cut(a.text, `action="`+action+`"`)
	if action == "" {
		_, form, ok = strings.Cut(a.text, "<form method=\"post\" enctype")
	}
	if !ok {
		t.Fatalf("%s: no form for %s: %s", a.path, action, a.text)
	}
	form, _, _ = strings.Cut(form, "</form>")
	v := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		v.Set(m[1], m[2])
	}
	return v
}

// wait follows a job to its end and returns the page that it leads to; a failure's code is an
// error page's.
func (b *consoleBrowser) wait(a consolePage) consolePage {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); strings.HasPrefix(a.path, "/jobs/"); a = b.get(a.path) {
		if strings.Contains(a.text, `<code id="error-code">`) && !strings.Contains(a.text, `<code id="error-code"></code>`) {
			return a
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the job does not end: %s", a.text)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return a
}

// code is the code of an error page, or nothing.
func (a consolePage) code() string {
	m := regexp.MustCompile(`id="error-code">([^<]*)<`).FindStringSubmatch(a.text)
	if m == nil {
		return ""
	}
	return m[1]
}

// application is the form of a new application, of person.json, with a portrait.
func (b *consoleBrowser) application(change func(map[string]string), portrait string) consolePage {
	b.t.Helper()
	var fields map[string]any
	text, err := os.ReadFile(filepath.Join(b.r.dir, "person.json"))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		b.t.Fatal(err)
	}
	values := map[string]string{"reason": "first", "form": formOf(b.t, b.get("/desk/new"), "").Get("form")}
	for k, v := range fields {
		if v != nil {
			values[k] = fmt.Sprint(v)
		}
	}
	if change != nil {
		change(values)
	}
	return b.upload("/desk/new", values, portrait)
}

// upload sends a form with a portrait, a file of the rig's folder; "" for none.
func (b *consoleBrowser) upload(path string, values map[string]string, portrait string) consolePage {
	b.t.Helper()
	return b.uploadAs("portrait", path, values, portrait)
}

// uploadAs is upload with the picture in a field of that name.
func (b *consoleBrowser) uploadAs(field, path string, values map[string]string, portrait string) consolePage {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range values {
		if err := w.WriteField(k, v); err != nil {
			b.t.Fatal(err)
		}
	}
	if portrait != "" {
		picture, err := os.ReadFile(filepath.Join(b.r.dir, portrait))
		if err != nil {
			b.t.Fatal(err)
		}
		part, err := w.CreateFormFile(field, "me.jpg")
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write(picture); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.send(path, w.FormDataContentType(), &body)
}

// blank puts a blank chip into the reader.
func (r *consoleRig) blank(t *testing.T) {
	t.Helper()
	path := filepath.Join(r.dir, "card.chip")
	_ = os.Remove(path)
	c, err := virtual.Create(path, virtual.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// An application goes from an empty form to a card in its holder's hand, by two officers in
// two browsers; what is wrong on the way has a code and changes nothing.
func TestConsoleDesk(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	an, binh := r.browser(t), r.browser(t)
	an.login("an")
	binh.login("binh")
	refusedApplications(t, an)

	a := an.application(nil, "face.jpg")
	app := regexp.MustCompile(`A-[A-Z0-9]+`).FindString(a.path)
	if app == "" || !strings.Contains(a.text, "Đã mở hồ sơ") || !strings.Contains(a.text, `id="stand">đã tiếp nhận<`) {
		t.Fatalf("%d %s: %s", a.status, a.path, a.text)
	}
	page := "/desk/applications/" + app
	if got := an.get(page + "/portrait"); got.header.Get("Content-Type") != "image/jpeg" || len(got.text) < 1000 {
		t.Errorf("no portrait: %d", got.status)
	}
	if a := an.application(nil, "face.jpg"); a.code() != "duplicate" {
		t.Errorf("a second application: %q", a.code())
	}
	if strings.Contains(a.text, page+"/approve") {
		t.Error("the registrar is offered to approve")
	}
	if got := an.post(page+"/approve", url.Values{"form": {"0123456789abcdef"}, "seen": {strings.Repeat("00", 32)}}); got.code() != "role" && got.code() != "conflict" {
		t.Errorf("the registrar approves: %q", got.code())
	}
	if got := an.post(page+"/make", url.Values{"form": {"0123456789abcdef"}}); got.code() != "state" {
		t.Error("a card is made that nobody approved")
	}

	form := formOf(t, binh.get(page), page+"/approve")
	stale := url.Values{"form": {"0123456789abcdef"}, "seen": {strings.Repeat("00", 32)}}
	if got := binh.post(page+"/approve", stale); got.code() != "conflict" {
		t.Errorf("what was not shown is approved: %q", got.code())
	}
	for range 2 { // sent twice, it was approved once
		if got := binh.post(page+"/approve", form); got.code() != "" || !strings.Contains(got.text, `id="stand">đã duyệt<`) {
			t.Fatalf("not approved: %q", got.code())
		}
	}
	form.Set("form", "another-number-of-a-form")
	if got := binh.post(page+"/approve", form); got.code() != "state" {
		t.Errorf("approved again: %q", got.code())
	}

	r.blank(t)
	a = an.wait(an.post(page+"/make", formOf(t, an.get(page), page+"/make")))
	card := regexp.MustCompile(`C-[A-Z0-9]+`).FindString(a.path)
	if card == "" {
		t.Fatalf("no card: %q %s", a.code(), a.text)
	}
	deliverable(t, an, binh, "/desk/cards/"+card)
}

// deliverable checks the card and hands it over.
func deliverable(t *testing.T, an, binh *consoleBrowser, page string) {
	t.Helper()
	if got := an.post(page+"/check", nil); got.code() != "page-role" {
		t.Errorf("who has made it checks it: %q", got.code())
	}
	if got := binh.post(page+"/deliver", url.Values{"form": {"0123456789abcdef"}, "identity": {"1"}}); got.code() != "state" {
		t.Errorf("handed over unchecked: %q", got.code())
	}
	a := binh.wait(binh.post(page+"/check", formOf(t, binh.get(page), page+"/check")))
	if !strings.Contains(a.text, "Thẻ đạt") || !strings.Contains(a.text, `id="stand">đã kiểm tra<`) {
		t.Fatalf("not passed: %q %s", a.code(), a.text)
	}
	form := formOf(t, a, page+"/deliver")
	if got := binh.post(page+"/deliver", form); got.code() != "identity" {
		t.Errorf("handed over to whoever stood there: %q", got.code())
	}
	form.Set("identity", "1")
	a = binh.post(page+"/deliver", form)
	if a.code() != "" || !strings.Contains(a.text, `id="stand">đang có hiệu lực<`) {
		t.Fatalf("not handed over: %q %s", a.code(), a.text)
	}
	if a := an.get("/desk/?all=1"); !strings.Contains(a.text, "đã trả thẻ") {
		t.Errorf("the list does not say so: %s", a.text)
	}
}

// refusedApplications are forms that open nothing, each with its code.
func refusedApplications(t *testing.T, b *consoleBrowser) {
	t.Helper()
	for name, c := range map[string]struct {
		change   func(map[string]string)
		portrait string
		want     string
	}{
		"a number of eleven digits": {func(v map[string]string) { v["number"] = "00319000001" }, "face.jpg", "field-number"},
		"a day that is not":         {func(v map[string]string) { v["birth"] = "31/02/1990" }, "face.jpg", "field-birth"},
		"no portrait":               {nil, "", "portrait"},
		"an image bomb":             {nil, "bomb.jpg", "portrait"},
		"a portrait too large":      {nil, "large.jpg", "portrait"},
		"no form's number":          {func(v map[string]string) { delete(v, "form") }, "face.jpg", "page-form"},
		"a word for a reason":       {func(v map[string]string) { v["reason"] = "because" }, "face.jpg", "word"},
	} {
		a := b.application(c.change, c.portrait)
		if a.code() != c.want || a.status == http.StatusOK {
			t.Errorf("%s: %d %q, not %q", name, a.status, a.code(), c.want)
		}
		if c.portrait != "" && !strings.Contains(a.text, `value="Nguyễn`) && c.want != "page-form" {
			t.Errorf("%s: what was typed is lost", name)
		}
	}
	if a := b.get("/desk/"); !strings.Contains(a.text, "Không có hồ sơ nào") {
		t.Errorf("something was opened: %s", a.text)
	}
}

package main

import (
	"net/url"
	"strings"
	"testing"
)

// A form that was sent before its session was locked, and once more while it was, does what it
// says once.
func TestConsoleSentTwice(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	b := r.browser(t)
	b.login("an")
	form := formOf(t, b.get("/desk/new"), "").Get("form")
	send := func() consolePage {
		return b.application(func(v map[string]string) { v["form"] = form }, "face.jpg")
	}
	first := send()
	if !strings.HasPrefix(first.path, "/desk/applications/") {
		t.Fatalf("%s: %s", first.path, first.code())
	}
	b.post("/lock", nil)
	if a := b.upload("/desk/new", map[string]string{"form": form}, ""); !strings.HasPrefix(a.path, "/login") {
		t.Fatalf("a locked session leads to %s", a.path)
	}
	b.login("an")
	if a := b.post("/waiting", nil); a.path != first.path {
		t.Errorf("the same form leads to %s, not %s: %s", a.path, first.path, a.code())
	}
}

// What was sent to a locked session is shown to its operator before it is done: whoever came by
// meanwhile may have sent it.
func TestConsoleWaitingShown(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	b := r.browser(t)
	b.login("an")
	form := formOf(t, b.get("/desk/new"), "").Get("form")
	b.post("/lock", nil)
	b.upload("/desk/new", map[string]string{"form": form, "number": "001090000042", "surname": "Kẻ <b>Lạ", "reason": "lost"}, "face.jpg")
	b.login("an")
	a := b.get("/waiting")
	for _, want := range []string{"/desk/new", "001090000042", "Kẻ &lt;b&gt;Lạ", "lost", "Số định danh cá nhân", `src="data:image/jpeg;base64,`} {
		if !strings.Contains(a.text, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	b.post("/lock", nil)
	b.post("/desk/cards/C-1/revoke", url.Values{"form": {form}, "reason": {"stolen"}, "second": {"binh"}, secondPassphraseField: {"geheim"}})
	b.login("an")
	a = b.get("/waiting")
	if !strings.Contains(a.text, "/desk/cards/C-1/revoke") || !strings.Contains(a.text, "stolen") || !strings.Contains(a.text, "binh") || strings.Contains(a.text, "geheim") || strings.Contains(a.text, form) {
		t.Errorf("a revocation is shown so: %s", a.main())
	}
	b.post("/lock", nil)
	b.post("/checkpoint/", url.Values{"secret": {"123457"}})
	b.login("an")
	if a = b.get("/waiting"); !strings.Contains(a.text, "/checkpoint/") || strings.Contains(a.text, "123457") {
		t.Errorf("an inspection is shown so: %s", a.main())
	}
}

const secondPassphraseField = "second-passphrase"

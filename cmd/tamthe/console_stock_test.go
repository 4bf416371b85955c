package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
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

// Every page of the desk is there in both languages, for those whose work it is.
func TestConsoleDeskPages(t *testing.T) {
	r := newConsoleRig(t, stageIssued)
	an, binh := r.browser(t), r.browser(t)
	an.login("an")
	binh.login("binh")
	for path, want := range map[string]string{
		"/desk/": "Hồ sơ", "/desk/?late=1": "Không có hồ sơ nào", "/desk/?all=1": "đã trả thẻ", "/desk/new": "Hồ sơ mới", "/desk/cards": "đang có hiệu lực",
		"/desk/stock": "B-1", "/desk/statistics": "1/1 thẻ trả trong hạn", "/desk/register": "chưa nối",
	} {
		if a := an.get(path); a.status != http.StatusOK || !strings.Contains(a.text, want) {
			t.Errorf("%s: %d lacks %q: %s", path, a.status, want, a.text)
		}
	}
	if a := binh.get("/desk/new"); a.code() != "page-role" {
		t.Errorf("an approver opens applications: %q", a.code())
	}
	an.post("/lang", url.Values{"lang": {"en"}})
	for path, want := range map[string]string{"/desk/stock": "Where the blanks are", "/desk/statistics": "1/1 cards came within 7", "/desk/cards": "in force"} {
		if a := an.get(path); a.status != http.StatusOK || !strings.Contains(a.text, want) {
			t.Errorf("%s: %d lacks %q", path, a.status, want)
		}
	}
	if a := an.get("/desk/statistics?from=2026-02-01&to=2026-01-01"); a.code() != "dates" {
		t.Errorf("a period that ends before it begins: %q", a.code())
	}
}

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

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

// A stock keeper's day: blanks come in, go elsewhere, are no good, are counted, and the day is
// closed once every one is accounted for.
func TestConsoleStock(t *testing.T) {
	r := newConsoleRig(t, stageAuthority)
	an := r.browser(t)
	an.login("an")
	const page = "/desk/stock"
	does := func(act string, form url.Values) consolePage {
		t.Helper()
		return an.does(page, page+"/"+act, "", form)
	}
	form := formOf(t, an.get(page), page+"/receive")
	form["batch"], form["numbers"] = []string{"B-2"}, []string{"1-50"}
	for range 2 { // sent twice, they are there once
		if a := an.post(page+"/receive", form); a.code() != "" || !strings.Contains(a.text, ">50</td>") {
			t.Fatalf("not taken in: %q %s", a.code(), a.text)
		}
	}
	an.refused(page, page+"/receive", "state", url.Values{"batch": {"B-2"}, "numbers": {"50-60"}})
	an.refused(page, page+"/receive", "usage", url.Values{"batch": {"B-2"}, "numbers": {"sixty"}})
	does("move", url.Values{"batch": {"B-2"}, "numbers": {"41-50"}, "to": {"danang"}})
	an.refused(page, page+"/spoil", "reason", url.Values{"batch": {"B-2"}, "numbers": {"1"}})
	does("spoil", url.Values{"batch": {"B-2"}, "numbers": {"1"}, "reason": {"torn"}})
	an.refused(page, page+"/spoil", "four-eyes", url.Values{"batch": {"B-2"}, "numbers": {"2"}, "reason": {"missing"}})
	second := url.Values{"batch": {"B-2"}, "numbers": {"2"}, "reason": {"missing"}, "second": {"binh"}, "second-passphrase": {testPassphrase}}
	does("spoil", second)
	an.refused(page, page+"/destroy", "four-eyes", url.Values{"batch": {"B-2"}, "numbers": {"1"}})

	an.refused(page, page+"/close", "not-counted", nil)
	an.refused(page, page+"/count", "number", url.Values{"batch": {"B-1"}, "count": {"many"}})
	does("count", url.Values{"batch": {"B-1"}, "count": {"999"}})
	does("count", url.Values{"batch": {"B-2"}, "list": {"3-40"}})
	an.refused(page, page+"/close", "gap", nil)
	a := an.act(page, page+"/count", nil)
	if a = an.post(page+"/compare", url.Values{"batch": {"B-1"}, "list": {"1-16\n18-1000\n1002"}}); !strings.Contains(a.text, "<code>17</code>") || !strings.Contains(a.text, "<code>1002</code>") {
		t.Errorf("what is missing, or too many, is not named: %q %s", a.code(), a.text)
	}
	does("count", url.Values{"batch": {"B-1"}, "count": {"1000"}})
	if a := does("close", nil); !strings.Contains(a.text, "chốt ngày") {
		t.Errorf("not closed: %s", a.text)
	}
}

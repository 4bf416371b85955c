package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// register serves a register of the population that knows the rig's person and a child, and
// names it in the office's settings. What it returns puts the register out of order, or back.
func (r *consoleRig) register(t *testing.T, child string) (order func(bool)) {
	t.Helper()
	write := func(name, text string) string {
		path := filepath.Join(r.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	db, kid := filepath.Join(r.dir, "register.db"), write("kid.json", child)
	accounts := write("accounts.toml", "tokens = [\"token of the test\"]\n")
	if _, err := r.deal.run(r.stage, "serve", "register", "--db", db, "--make", "20", "--seed", "9", "--person", filepath.Join(r.dir, "person.json"), "--person", kid); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(r.serve(t, "register", "--db", db, "--accounts", accounts))
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(at)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if down.Load() {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		q.Host = at.Host
		proxy.ServeHTTP(w, q)
	}))
	t.Cleanup(front.Close)
	write("home/register.secret", "token of the test\n")
	write("home/config.toml", fmt.Sprintf("[register]\nkind = \"osia\"\nurl = %q\nsecret_file = \"register.secret\"\n", front.URL+"/osia"))
	return func(in bool) { down.Store(!in) }
}

const registeredChild = `{"number": "003218000041", "surname": "Trần", "given": "Thị Bé", "sex": "F", "birth": "2018-05-04", "nationality": "Việt Nam",
 "origin": "Xã Mẫu, Tỉnh Mẫu", "residence": "Số 4, phố Mẫu, Tỉnh Mẫu", "ethnicity": "Kinh", "religion": "Không", "features": "Không", "father": "Trần Văn Ba", "mother": "Lê Thị Tư"}`

// The register is asked on the page, field by field; what differs waits for an approver who
// had no part in it, and a day without the register loses nothing.
func TestConsoleRegister(t *testing.T) {
	r := newHomeRig(t, stageAuthority)
	order := r.register(t, registeredChild)
	r.url = r.serve(t, "console")
	an, binh := r.browser(t), r.browser(t)
	an.login("an")
	binh.login("binh")

	order(false)
	app := "/desk/applications/" + appName.FindString(an.application(nil, "face.jpg").path)
	child := "/desk/applications/" + appName.FindString(an.application(func(v map[string]string) {
		clear := map[string]string{}
		if err := json.Unmarshal([]byte(registeredChild), &clear); err != nil {
			t.Fatal(err)
		}
		for k := range v {
			if k != "form" && k != "reason" {
				delete(v, k)
			}
		}
		for k, text := range clear {
			v[k] = text
		}
		v["mother"] = "Lê Thị Khác"
	}, "face.jpg").path)
	an.refused(app, app+"/ask", "register-down", nil)
	binh.refused(app, app+"/approve", "unconfirmed", nil)
	if a := binh.get(app); !strings.Contains(a.text, `id="unconfirmed"`) {
		t.Errorf("the approver is not told that nobody asked: %s", a.main())
	}
	queue := an.get("/desk/register")
	for _, id := range []string{app, child} {
		if !strings.Contains(queue.text, id) {
			t.Errorf("%s does not wait: %s", id, queue.main())
		}
	}
	an.refused("/desk/register", "/desk/register", "register-down", nil)

	order(true)
	a := an.does("/desk/register", "/desk/register", `id="differing"><li><a href="`+child, nil)
	if strings.Contains(a.text, app) {
		t.Errorf("what was confirmed still waits: %s", a.main())
	}
	if a := an.get(app); !strings.Contains(a.text, `id="comparison"`) || strings.Contains(a.text, "LỆCH") {
		t.Errorf("not compared, or different: %s", a.main())
	}
	a = binh.get(child)
	for _, want := range []string{`">Lê Thị Khác</td><td data-label="Cơ sở dữ liệu">Lê Thị Tư</td>`, "LỆCH", ">giấy tờ cho thấy hồ sơ đúng<"} {
		if !strings.Contains(a.text, want) {
			t.Errorf("the difference is not shown: %s", a.main())
		}
	}
	if strings.Contains(a.text, child+"/approve") {
		t.Error("what differs is offered for approval")
	}
	binh.refused(child, child+"/accept", "reason", nil)
	if a := an.post(child+"/accept", url.Values{"form": {"0123456789abcdef"}, "reason": {"documents"}}); a.code() != "role" {
		t.Errorf("who asked accepts it: %q", a.code())
	}
	binh.does(child, child+"/accept", `id="stand">đã tiếp nhận<`, url.Values{"reason": {"documents"}})
	binh.does(child, child+"/approve", `id="stand">đã duyệt<`, nil)
	binh.does(app, app+"/approve", `id="stand">đã duyệt<`, nil)
	handedToParent(t, r, an, binh, child)
}

// handedToParent: a child's card goes to a parent, before the eyes of two clerks.
func handedToParent(t *testing.T, r *consoleRig, an, binh *consoleBrowser, child string) {
	t.Helper()
	r.blank(t)
	card := an.does(child, child+"/make", "C-", nil).path
	if a := binh.wait(binh.act(card, card+"/check", nil)); !strings.Contains(a.text, "Thẻ đạt") {
		t.Fatalf("not passed: %q %s", a.code(), a.main())
	}
	if a := binh.get(card); !strings.Contains(a.text, `id="child"`) {
		t.Errorf("the clerk is not told that it is a child: %s", a.main())
	}
	binh.refused(card, card+"/deliver", "child", url.Values{"identity": {"1"}, "taken": {"holder"}})
	binh.refused(card, card+"/deliver", "four-eyes", url.Values{"identity": {"1"}, "taken": {"proxy"}})
}

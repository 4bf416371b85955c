package portal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/intake"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func client(t *testing.T, address string) *intake.Client {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	s, err := intake.NewSigner(key, "dvc")
	must(t, err)
	return &intake.Client{URL: address, Portal: "dvc", Signer: s}
}

// What a citizen filed lies on the disk before it is sent, octet for octet, and is sent again
// after a restart; what the office refuses for good is not sent again, and its content goes.
func TestOutbox(t *testing.T) {
	dir, answer := filepath.Join(t.TempDir(), "outbox"), http.StatusServiceUnavailable
	var got []string
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // an office that is down, then refuses
		var b strings.Builder
		m := make([]byte, 4096)
		n, _ := r.Body.Read(m)
		b.Write(m[:n])
		if strings.HasSuffix(r.URL.Path, "/messages") {
			got = append(got, b.String()+r.Header.Get(intake.Header))
		}
		w.WriteHeader(answer)
		json.NewEncoder(w).Encode(map[string]string{"code": map[int]string{503: "out-of-order", 403: "purpose"}[answer]})
	}))
	defer office.Close()
	o, err := OpenOutbox(dir)
	must(t, err)
	c := client(t, office.URL)
	must(t, o.put("K-1", "citizen", c, intake.Message{Request: "K-1-1", Case: "K-1", Act: intake.File, Person: json.RawMessage(`{"number":"003190000017"}`)}))
	o.Flush(t.Context(), c, time.Now())
	o, err = OpenOutbox(dir)
	must(t, err)
	if k := o.get("K-1"); k == nil || len(k.Unsent) != 1 || !strings.Contains(k.said("en"), "Waiting") {
		t.Fatalf("%+v", k)
	}
	answer = http.StatusForbidden
	o.Flush(t.Context(), c, time.Now())
	o.Flush(t.Context(), c, time.Now())
	if len(got) != 2 || got[0] != got[1] {
		t.Errorf("sent %d times, or other octets", len(got))
	}
	if k := o.get("K-1"); len(k.Unsent) != 0 || k.Refused != "purpose" {
		t.Errorf("%+v", k)
	}
	b, err := os.ReadFile(filepath.Join(dir, "K-1.json"))
	must(t, err)
	if strings.Contains(string(b), "body") || len(o.Of("citizen")) != 1 || len(o.Of("another")) != 0 {
		t.Errorf("%s", b)
	}
	must(t, os.WriteFile(filepath.Join(dir, "K-1.json"), []byte(`{"name":"K-2"}`), 0o600))
	if _, err := OpenOutbox(dir); err == nil {
		t.Error("a file of another case is taken")
	}
}

// What the card said is filed as the card said it.
func TestPerson(t *testing.T) {
	who := &citizen{told: map[string]string{
		"number": "003190000017", "name": "Nguyễn Thị Thử", "birthdate": "1990-02-15", "gender": "female", "nationality": "VNM", "origin": "Xã Mẫu", "residence": "Tỉnh Mẫu",
	}}
	form := func(surname, given string) func(string) string {
		return func(f string) string {
			return map[string]string{"surname": surname, "given": given, "number": "003190000018"}[f]
		}
	}
	b, err := who.person(form("Nguyễn", "Thị Thử"))
	must(t, err)
	if !strings.Contains(string(b), "003190000017") || !strings.Contains(string(b), `"nationality":"Việt Nam"`) || !strings.Contains(string(b), `"sex":"F"`) {
		t.Errorf("%s", b)
	}
	if _, err := who.person(form("Nguyễn", "Thị Khác")); err == nil {
		t.Error("another name than the card's")
	}
	who.told["number"] = ""
	if _, err := who.person(form("Nguyễn", "Thị Thử")); err == nil {
		t.Error("nobody's number")
	}
}

// The program says what it lacks, serves this machine only, and overwrites no key.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args string
		want int
	}{
		{"-help", 0},
		{"-nonsense", 2},
		{"-id dvc", 1},
		{"-make-key " + dir + "/dvc", 0},
		{"-make-key " + dir + "/dvc", 1},
		{"-id dvc -key " + dir + "/dvc.key -eid http://127.0.0.1:1 -client dvc -secret-file " + dir + "/dvc.pem -intake http://127.0.0.1:1 -listen 0.0.0.0:0", 1},
		{"-id dvc -key " + dir + "/dvc.pem -eid http://127.0.0.1:1 -client dvc -secret-file " + dir + "/dvc.pem -intake http://127.0.0.1:1 -listen 127.0.0.1:0", 1},
	} {
		var out, errw strings.Builder
		if got := Main(context.Background(), strings.Fields(c.args), &out, &errw); got != c.want || got != 0 && errw.Len() == 0 {
			t.Errorf("%s: %d, %s", c.args, got, errw.String())
		}
	}
}

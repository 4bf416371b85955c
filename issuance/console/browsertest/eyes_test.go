package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The eyes of the plays see what is wrong: each of these pages has one fault, which is told.
func TestEyes(t *testing.T) {
	needs(t)
	wrong := []struct{ name, lang, policy, body, want string }{
		{"label", "vi", "", `<input id="number">`, "axe, critical: Form elements must have labels"},
		{"contrast", "vi", "", `<p style="color:#bbb">Thẻ căn cước</p>`, "axe, serious: Elements must meet minimum color contrast"},
		{"picture", "vi", "", `<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==" width="50" height="50">`, "axe, critical: Images must have alternative text"},
		{"wide", "vi", "", `<div style="width:500px">Thẻ căn cước</div>`, "(phone): the page is "},
		{"cut", "vi", "", `<p style="width:60px;overflow:hidden;white-space:nowrap">Nguyễn Thị Thử Nghiệm</p>`, "cut off: <p> Nguyễn"},
		{"clipped", "vi", "", `<p style="font-size:20px;line-height:1;height:14px;overflow:hidden">Ẫ Ộ Ặ</p>`, "cut off: <p> Ẫ"},
		{"small", "vi", "", `<button style="width:12px;height:12px;padding:0" aria-label="Đóng">×</button>`, "too small a target, 12×12"},
		{"foreign", "vi", "", `<p>The card is valid</p>`, "not in Vietnamese: The card is valid"},
		{"language", "en", "", `<p>Thẻ</p>`, "it is in en, not vi"},
		{"script", "vi", "default-src 'none'; style-src 'unsafe-inline'", `<script>1</script>`, "against the page's own policy: script-src-elem inline"},
		{"error", "vi", "", `<script>nothing.there()</script>`, "nothing is not defined"},
		{"elsewhere", "vi", "", `<p>Thẻ</p><script src="http://elsewhere.example/x.js"></script>`, "a request to http://elsewhere.example"},
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/favicon.ico", func(http.ResponseWriter, *http.Request) {})
	var pages []page
	for _, c := range wrong {
		mux.HandleFunc("/"+c.name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if c.policy != "" {
				w.Header().Set("Content-Security-Policy", c.policy)
			}
			fmt.Fprintf(w, `<!doctype html><html lang="%s"><head><title>Thẻ</title><meta name="viewport" content="width=device-width"></head><body><main><h1>Thẻ</h1>%s</main></body></html>`, c.lang, c.body)
		})
		pages = append(pages, page{"wrong-" + c.name, server.URL + "/" + c.name, "vi", nil})
	}
	faults := perform(t, "pages.mjs", map[string]any{"pages": pages}, nil)
	for _, c := range wrong {
		seen := false
		for _, f := range faults {
			seen = seen || strings.HasPrefix(f, "wrong-"+c.name) && strings.Contains(f, c.want)
		}
		if !seen {
			t.Errorf("%s: not told: %s", c.name, c.want)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(faults, "\n"))
	}
}

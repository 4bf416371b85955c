package main

import (
	"context"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/cmd/sample-portal/portal"
)

// samplePortal is the program of that name, in the test binary.
func samplePortal() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(portal.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// browser is a citizen's: it keeps cookies, follows redirects, and knows which page it is on.
type browser struct {
	*http.Client
	at   *url.URL
	page string
}

// browserOf is the script's own browser.
func browserOf(ts *testscript.TestScript) *browser {
	b, ok := ts.Value("browser").(*browser)
	if !ok {
		ts.Fatalf("the script has no browser")
	}
	return b
}

func newBrowser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	return &browser{Client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// hidden is a form's hidden field.
var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// browse uses the script's browser; the page it comes to is the standard output, its text
// unescaped:
//
//	browse get STATUS ADDRESS
//	browse post STATUS ADDRESS [FIELD=VALUE]…   with the hidden fields of the page it is on
//	browse forget                               another browser, which nobody knows
//	browse port NAME                            puts the address of a free port into a variable
//
// An address may be one on the same site.
func browse(ts *testscript.TestScript, neg bool, args []string) {
	b := browserOf(ts)
	if !neg && len(args) == 1 && args[0] == "forget" {
		*b = *newBrowser()
		return
	}
	if !neg && len(args) == 2 && args[0] == "port" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(args[1], l.Addr().String())
		ts.Check(l.Close())
		return
	}
	if neg || len(args) < 3 {
		ts.Fatalf("usage: browse get|post STATUS ADDRESS [FIELD=VALUE]…")
	}
	to, err := url.Parse(args[2])
	ts.Check(err)
	if b.at != nil {
		to = b.at.ResolveReference(to)
	}
	var resp *http.Response
	if args[0] == "get" {
		resp, err = b.Get(to.String())
	} else {
		form := url.Values{}
		for _, m := range hidden.FindAllStringSubmatch(b.page, -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		for _, f := range args[3:] {
			name, value, _ := strings.Cut(f, "=")
			form.Set(name, value)
		}
		resp, err = b.PostForm(to.String(), form)
	}
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	b.at, b.page = resp.Request.URL, string(text)
	io.WriteString(ts.Stdout(), b.at.String()+"\n"+html.UnescapeString(b.page))
	if resp.Status[:3] != args[1] {
		ts.Fatalf("%s: %s, want %s\n%s", to, resp.Status, args[1], b.page)
	}
}

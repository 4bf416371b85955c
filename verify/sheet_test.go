package verify_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/sheet"
)

func page(t *testing.T, r *verify.Report, l verify.Lang) string {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.Write(t.Context(), &b, r, l, sheet.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tags are all that the page is made of; none of them acts.
var tags = []string{
	"html", "head", "meta", "title", "style", "body", "main", "header", "div", "h1", "h2", "h3", "small", "em", "p", "section",
	"figure", "img", "dl", "dt", "dd", "article", "ul", "li", "b", "code", "span", "footer",
}

// attributes are all that its tags have; what they may hold is in inert.
var attributes = []string{"lang", "charset", "http-equiv", "content", "name", "class", "aria-hidden", "src", "alt"}

// inert walks through the page as XML, which is stricter than a browser, and fails on
// whatever is not text, a known tag or a known attribute.
func inert(t *testing.T, name, html string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(html))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: not well-formed: %v", name, err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !contains(tags, e.Name.Local) {
			t.Errorf("%s: <%s>", name, e.Name.Local)
		}
		for _, a := range e.Attr {
			switch {
			case !contains(attributes, a.Name.Local):
				t.Errorf("%s: attribute %s", name, a.Name.Local)
			case a.Name.Local == "src" && !regexp.MustCompile(`^data:image/jpeg;base64,[A-Za-z0-9+/=]+$`).MatchString(a.Value):
				t.Errorf("%s: src %.40q", name, a.Value)
			case a.Name.Local == "http-equiv" && a.Value != "Content-Security-Policy":
				t.Errorf("%s: http-equiv %q", name, a.Value)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func TestSheet(t *testing.T) {
	for name, r := range verify.Samples(t) {
		for _, l := range []verify.Lang{verify.English, verify.Vietnamese} {
			html := page(t, r, l)
			inert(t, name, html)
			for _, want := range []string{
				`<html lang="` + string(l) + `">`, `content="default-src &#39;none&#39;;`, r.View(l).Word, r.View(l).Other, r.Document.Card.String(), "@page { size: A4;",
			} {
				if !strings.Contains(html, want) && !strings.Contains(html, strings.ReplaceAll(want, "&#39;", "'")) {
					t.Errorf("%s, %s: no %q", name, l, want)
				}
			}
			if strings.Contains(html, "url(") || strings.Contains(html, "@import") || strings.Contains(html, "http:") || strings.Contains(html, "https:") {
				t.Errorf("%s, %s: something is fetched", name, l)
			}
			if proven := name != "refer"; strings.Contains(html, "data:image/") != proven || strings.Contains(html, "003190000017") != proven {
				t.Errorf("%s, %s: shows what is not proven, or not what is", name, l)
			}
			if why := r.View(l).Why; why != "" && !strings.Contains(html, why) {
				t.Errorf("%s, %s: no reason", name, l)
			}
		}
	}
}

func TestSheetOfHostileText(t *testing.T) {
	for name, r := range verify.Samples(t) {
		before := strings.Count(page(t, r, verify.English), "<")
		r.MakeHostile()
		html := page(t, r, verify.English)
		inert(t, name, html)
		for _, bad := range []string{"<script", "<img src=x", "onerror=alert(1)>", "\x1b", "\u202e", "\u2066", "\u200b", "\x07"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s: %q stands in the page", name, bad)
			}
		}
		if name != "refer" && strings.Count(html, "<") < before-2 {
			t.Errorf("%s: hostile text swallowed the page", name)
		}
	}
}

func TestSheetOfBadPortraits(t *testing.T) {
	for name, img := range map[string][]byte{"garbage": []byte("<svg onload=alert(1)>"), "empty": {}, "JPEG 2000": {0, 0, 0, 12, 'j', 'P', ' ', ' ', 13, 10, 0x87, 10}} {
		r := verify.Samples(t)["accept"]
		r.SetPortrait(img)
		html := page(t, r, verify.English)
		inert(t, name, html)
		if strings.Contains(html, "data:image") || !strings.Contains(html, "the portrait cannot be shown") {
			t.Errorf("%s: shown, or not said", name)
		}
	}
}

func TestSheetEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sheet.Write(ctx, io.Discard, verify.Samples(t)["accept"], verify.English, sheet.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	full := errors.New("disk full")
	if err := sheet.Write(t.Context(), failing{full}, verify.Samples(t)["accept"], verify.English, sheet.Options{}); !errors.Is(err, full) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

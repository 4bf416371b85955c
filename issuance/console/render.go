package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// pageSet is a page's template in both languages.
type pageSet map[string]*template.Template

// parsePages parses every page together with the layout, once for each language.
func parsePages() (map[string]pageSet, error) {
	sets := map[string]pageSet{}
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name := path.Base(file)
		if name == "layout.html" || name == "parts.html" {
			continue
		}
		sets[name] = pageSet{}
		for _, lang := range []string{"vi", "en"} {
			t, err := template.New("layout.html").Funcs(functions(lang)).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html", file)
			if err != nil {
				return nil, err
			}
			sets[name][lang] = t
		}
	}
	return sets, nil
}

// functions are what templates may call.
func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"lang":   func() string { return lang },
		"say":    func(vi, en string) string { return say{vi, en}.in(lang) },
		"hinted": func(s say) bool { return s.vi != "" },
		"in":     func(s say) string { return s.in(lang) },
		"role": func(r issuance.Role) string {
			if s, ok := roleNames[string(r)]; ok {
				return s.in(lang)
			}
			return string(r)
		},
		"day":  func(t time.Time) string { return t.Local().Format("02/01/2006") },
		"time": func(t time.Time) string { return t.Local().Format("15:04 02/01/2006") },
		"join": strings.Join,
		"form": func() template.HTML {
			return template.HTML(`<input type="hidden" name="form" value="` + randomID() + `">`)
		},
		"actof":  func(k issuance.Kind, a issuance.Act) string { return nameOfActOf(k, a).in(lang) },
		"act":    func(a issuance.Act) string { return nameOfAct(a).in(lang) },
		"kind":   func(k issuance.Kind) string { return nameOf(kindNames, string(k)).in(lang) },
		"phase":  func(p issuance.Phase) string { return nameOf(phaseNames, string(p)).in(lang) },
		"back":   backOf,
		"why":    func(a issuance.Act, reason string) string { return reasonOf(a, reason, lang) },
		"word":   func(kind, word string) string { return nameOf(deskWords[kind], word).in(lang) },
		"reason": func(r string) string { return desk.ReasonText(r, lang) },
	}
}

// view is what the layout works with; pages see their data as .Data.
type view struct {
	Data     any
	Path     string
	Operator *issuance.Operator
	Nav      []navEntry
}

// navEntry is a part of the console that an operator may go to.
type navEntry struct {
	Path  string
	Name  say
	Tells say    // what is done there
	Key   string // the access key
	Here  bool
}

// nav lists the parts that the operator may use.
func (q *request) nav() []navEntry {
	if q.operator.Name == "" {
		return nil
	}
	all := []struct {
		navEntry
		roles []issuance.Role
	}{
		{navEntry{Path: "/desk/", Name: say{"Quầy cấp thẻ", "Desk"}, Tells: say{"Hồ sơ, duyệt, làm thẻ, trả thẻ, kho phôi, thống kê", "Applications, approval, making and handing over cards, blanks, statistics"}, Key: "1"}, deskRoles},
		{navEntry{Path: "/checkpoint/", Name: say{"Kiểm tra thẻ", "Checkpoint"}, Tells: say{"Thẻ trên đầu đọc có thật không, người đưa thẻ có phải chủ thẻ không", "Is the card on the reader genuine, and is its bearer the holder?"}, Key: "2"}, nil},
		{navEntry{Path: "/audit/", Name: say{"Kiểm toán", "Audit"}, Tells: say{"Sổ cái, bằng chứng, ai đã làm gì", "The ledger, its proofs, and who did what"}, Key: "3"}, auditRoles},
	}
	var list []navEntry
	for _, e := range all {
		if len(e.roles) == 0 || slices.ContainsFunc(e.roles, q.operator.May) {
			e.Here = strings.HasPrefix(q.URL.Path, e.Path)
			list = append(list, e.navEntry)
		}
	}
	return list
}

// render writes a page: the file pages/NAME with the data.
func (q *request) render(name string, data any) error {
	return q.renderStatus(http.StatusOK, name, data)
}

func (q *request) renderStatus(status int, name string, data any) error {
	set, ok := q.c.pages[name]
	if !ok {
		return fmt.Errorf("no page %s", name)
	}
	v := view{Data: data, Path: q.URL.Path, Nav: q.nav()}
	if q.operator.Name != "" {
		v.Operator = &q.operator
	}
	var b bytes.Buffer
	if err := set[q.lang].Execute(&b, v); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(b.Bytes()) // the browser went away
	return nil
}

// backOf is the page that a form stood on which was sent to a path; "" where that is none of
// the desk's.
func backOf(path string) string {
	part := strings.Split(path, "/")
	switch {
	case len(part) == 5 && part[1] == "desk" && (part[2] == "applications" || part[2] == "cards"):
		return strings.Join(part[:4], "/")
	case len(part) == 4 && part[1] == "desk" && part[2] == "stock":
		return "/desk/stock"
	case path == "/desk/register":
		return path
	}
	return ""
}

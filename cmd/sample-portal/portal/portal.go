// Package portal is the sample portal: an OpenID Connect client, an outbox of signed messages,
// and a few pages in Vietnamese and English.
package portal

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tamthe/tamthe/issuance/intake"
)

// Config is what a portal works with.
type Config struct {
	URL     string // by which citizens' browsers know it
	EID     string // the issuer, which is the address of serve eid
	Client  string // the name by which that knows the portal
	Secret  string // and what the portal signs in with there
	Intake  *intake.Client
	Outbox  *Outbox
	Purpose string // of what is filed, as the agreement with the office has it
	Now     func() time.Time
}

// Portal is the web site. It may be used by many goroutines at once.
type Portal struct {
	c     Config
	pages map[string]*template.Template

	mu       sync.Mutex
	provider *oidc.Provider // nil until the issuer answered once
	sessions map[string]*session
}

//go:embed pages
var files embed.FS

// New makes a portal.
func New(c Config) (*Portal, error) {
	if c.URL == "" || c.EID == "" || c.Intake == nil || c.Outbox == nil || c.Now == nil {
		return nil, errors.New("a portal needs its address, an issuer, a service of intake, an outbox and a clock")
	}
	p := &Portal{c: c, sessions: map[string]*session{}, pages: map[string]*template.Template{}}
	for _, name := range []string{"home", "account", "case", "refused"} {
		t, err := template.New("frame.html").Funcs(template.FuncMap{"say": func(vi, en string) string { return vi }}).ParseFS(files, "pages/frame.html", "pages/"+name+".html")
		if err != nil {
			return nil, err
		}
		p.pages[name] = t
	}
	return p, nil
}

// Handler is the web site over HTTP.
func (p *Portal) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.page(p.home))
	mux.HandleFunc("GET /login", p.page(p.login))
	mux.HandleFunc("GET /back", p.page(p.back))
	mux.HandleFunc("POST /logout", p.page(p.logout))
	mux.HandleFunc("GET /account", p.page(p.account))
	mux.HandleFunc("POST /cases", p.page(p.file))
	mux.HandleFunc("GET /cases/{case}", p.page(p.show))
	mux.HandleFunc("POST /cases/{case}/withdraw", p.page(p.withdraw))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "pages/style.css") })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	return http.NewCrossOriginProtection().Handler(mux)
}

// oauth is the stock client, as registered with the issuer. The issuer need not be there
// before the first citizen is.
func (p *Portal) oauth(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.provider == nil {
		one, err := oidc.NewProvider(context.WithoutCancel(ctx), p.c.EID)
		if err != nil {
			return nil, nil, err
		}
		p.provider = one
	}
	endpoint := p.provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // as registered: else the library tries twice, and a code is good once
	c := &oauth2.Config{ClientID: p.c.Client, ClientSecret: p.c.Secret, Endpoint: endpoint, RedirectURL: p.c.URL + "/back", Scopes: []string{oidc.ScopeOpenID}}
	for _, f := range fields {
		c.Scopes = append(c.Scopes, "eid:"+f.scope)
	}
	return c, p.provider, nil
}

// request is a browser's, with what the portal knows of it.
type request struct {
	*http.Request
	w       http.ResponseWriter
	lang    string
	session *session
}

// problem is what a page says instead.
type problem struct {
	status int
	words  intake.Words
	code   string // for who runs the portal
}

func (e *problem) Error() string { return e.words.EN }

func (p *Portal) page(f func(*request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, 32<<10)
		q := &request{Request: r, w: w, lang: language(w, r), session: p.known(r)}
		err := f(q)
		if err == nil {
			return
		}
		e, ok := errors.AsType[*problem](err)
		if !ok {
			e = &problem{http.StatusBadGateway, intake.Words{VI: "Chưa làm được. Vui lòng thử lại sau.", EN: "This could not be done. Try again later."}, "out-of-order"}
		}
		p.render(q, "refused", e.status, struct{ Text, Code string }{e.words.In(q.lang), e.code})
	}
}

// language is the page's: by ?lang=, else by cookie, else Vietnamese.
func language(w http.ResponseWriter, r *http.Request) string {
	lang := r.URL.Query().Get("lang")
	if lang == "vi" || lang == "en" {
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: lang, Path: "/", SameSite: http.SameSiteLaxMode, HttpOnly: true})
		return lang
	}
	if c, err := r.Cookie("lang"); err == nil && c.Value == "en" {
		return "en"
	}
	return "vi"
}

func (p *Portal) render(q *request, name string, status int, data any) {
	t, err := p.pages[name].Clone()
	if err != nil {
		http.Error(q.w, "out of order", http.StatusInternalServerError)
		return
	}
	t.Funcs(template.FuncMap{"say": func(vi, en string) string { return intake.Words{VI: vi, EN: en}.In(q.lang) }})
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_ = t.Execute(q.w, struct {
		Lang, Path string
		In         bool
		Data       any
	}{q.lang, q.URL.Path, q.session != nil && q.session.citizen != nil, data}) // the browser is gone
}

func (p *Portal) home(q *request) error {
	p.render(q, "home", http.StatusOK, nil)
	return nil
}

func (q *request) redirect(to string) error {
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
	return nil
}

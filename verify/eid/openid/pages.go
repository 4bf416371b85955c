package openid

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/meter"
)

//go:embed login.html login.css login.js
var files embed.FS

var page = template.Must(template.New("login.html").Funcs(template.FuncMap{"word": word}).ParseFS(files, "login.html"))

// pages are what the citizen's browser sees.
type pages struct {
	server   *eid.Server
	agent    string // of the citizen's own machine
	store    *store
	callback func(context.Context, string) string
	issuer   *op.IssuerInterceptor
}

// view is what the page shows.
type view struct {
	ID, Party, Purpose string
	Fields             []string
	Code, Server       string
	Agent              string
	Refused            eid.Code
	Over               bool
	Specimen           bool
	back               string // where the browser may be sent back to
}

// cookie is the name of the cookie that binds a login to the browser session: a login for
// each request.
func cookie(id string) string { return "eid-" + id }

// ownKey is where a context has what the browser session is known by, and networkKey which
// network it is in.
type (
	ownKey     struct{}
	networkKey struct{}
)

// ownCookie is the name of the cookie that tells browser sessions apart. By TLS no other
// host can set it (RFC 6265bis §4.1.3.2).
func (p *pages) ownCookie() string {
	if strings.HasPrefix(p.server.URL(), "https://") {
		return "__Host-eid"
	}
	return "eid"
}

// own tells h which browser session it is.
func (p *pages) own(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value := ""
		if c, err := r.Cookie(p.ownCookie()); err == nil {
			value = c.Value
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownKey{}, value)))
	})
}

// begins is own where requests begin: a browser session that is not known is from then on.
func (p *pages) begins(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(p.ownCookie())
		if err != nil || c.Value == "" {
			c = &http.Cookie{
				Name: p.ownCookie(), Value: name(), Path: "/", HttpOnly: true, Secure: strings.HasPrefix(p.server.URL(), "https://"),
				SameSite: http.SameSiteLaxMode,
			}
			http.SetCookie(w, c)
		}
		ctx := context.WithValue(r.Context(), networkKey{}, meter.Network(r.RemoteAddr))
		h.ServeHTTP(w, r.WithContext(context.WithValue(ctx, ownKey{}, c.Value)))
	})
}

// show begins the login of a request, or shows it again to the browser session that did.
func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	q, err := p.store.get(r.FormValue("id"))
	if err != nil {
		p.render(w, http.StatusNotFound, view{Refused: eid.CodeUnknown, Over: true})
		return
	}
	if !q.of(r.Context()) { // somebody was sent here to log in another's browser
		p.render(w, http.StatusForbidden, view{Refused: eid.CodeUnbound, Over: true})
		return
	}
	v := view{ID: q.id, Server: p.server.URL(), back: q.ask.RedirectURI}
	ask := p.ask(q)
	if party, ok := p.server.Party(ask.Party); ok {
		v.Party, v.Purpose, v.Fields = party.Name, ask.Purpose, ask.Fields
	}
	if q.browser != "" { // somebody's login already
		session, secret, code := p.kept(r, q)
		if _, err := p.server.State(session, secret); err != nil {
			v.Refused, v.Over = first(eid.CodeOf(err), eid.CodeUnbound), true
			p.render(w, http.StatusForbidden, v)
			return
		}
		v.Code = code
		p.render(w, http.StatusOK, v)
		return
	}
	b, err := p.server.BeginFor(meter.Network(r.RemoteAddr), ask)
	if err != nil {
		v.Refused, v.Over = eid.CodeOf(err), true
		p.render(w, http.StatusForbidden, v)
		return
	}
	value := b.Session + "." + b.Browser + "." + b.Code
	p.store.change(q.id, func(q *request) { q.browser = b.Session })
	http.SetCookie(w, &http.Cookie{
		Name: cookie(q.id), Value: value, Path: "/login", HttpOnly: true, Secure: strings.HasPrefix(p.server.URL(), "https://"),
		SameSite: http.SameSiteLaxMode, MaxAge: int(requestLife.Seconds()),
	})
	v.Code = b.Code
	p.render(w, http.StatusOK, v)
}

// kept is the login that the browser's cookie names, if it is that of the request.
func (p *pages) kept(r *http.Request, q *request) (session, secret, code string) {
	c, err := r.Cookie(cookie(q.id))
	if err != nil {
		return "", "", ""
	}
	parts := strings.Split(c.Value, ".")
	if len(parts) != 3 || parts[0] != q.browser {
		return "", "", ""
	}
	return parts[0], parts[1], parts[2]
}

// ask is what a request asks of a card.
func (p *pages) ask(q *request) eid.Ask {
	a := eid.Ask{Party: q.ask.ClientID}
	if party, ok := p.server.Party(a.Party); ok && len(party.Purposes) > 0 {
		a.Purpose = party.Purposes[0]
	}
	for _, s := range q.ask.Scopes {
		if f, ok := strings.CutPrefix(s, scopePrefix); ok {
			a.Fields = append(a.Fields, f)
		}
	}
	if slices.Contains(q.ask.ACRValues, string(eid.Holder)) {
		a.Level = eid.Holder
	}
	return a
}

// finish redeems the login and sends the browser back to the portal.
func (p *pages) finish(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	q, err := p.store.get(r.PostFormValue("id"))
	if err != nil {
		p.render(w, http.StatusNotFound, view{Refused: eid.CodeUnknown, Over: true})
		return
	}
	if !q.of(r.Context()) {
		p.render(w, http.StatusForbidden, view{Refused: eid.CodeUnbound, Over: true})
		return
	}
	session, secret, code := p.kept(r, q)
	claims, err := p.server.RedeemFor(q.ask.ClientID, session, secret, strings.TrimSpace(r.PostFormValue("finish")))
	if err != nil {
		c := first(eid.CodeOf(err), eid.CodeUnbound)
		v := view{ID: q.id, Server: p.server.URL(), Code: code, Refused: c, Over: c != eid.CodeUnbound && c != eid.CodeTaken, back: q.ask.RedirectURI}
		if party, ok := p.server.Party(q.ask.ClientID); ok {
			v.Party = party.Name
		}
		p.render(w, http.StatusForbidden, v)
		return
	}
	p.store.change(q.id, func(r *request) { r.claims = claims })
	http.SetCookie(w, &http.Cookie{Name: cookie(q.id), Path: "/login", MaxAge: -1})
	http.Redirect(w, r, p.callback(r.Context(), url.QueryEscape(q.id)), http.StatusSeeOther)
}

func first(a, b eid.Code) eid.Code {
	if a != "" {
		return a
	}
	return b
}

// formAction is where the form of a page may lead: here, and by redirection to the portal
// that asked, and nowhere else.
func formAction(v view) string {
	u, err := url.Parse(v.back)
	switch {
	case v.Over || err != nil || v.back == "":
		return "'none'"
	case strings.Contains(u.Host, "["): // a source cannot name an address of IPv6: only a portal on this machine has one
		return "'self' " + u.Scheme + ":"
	}
	return "'self' " + u.Scheme + "://" + u.Host
}

func (p *pages) render(w http.ResponseWriter, status int, v view) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "+p.agent+"; form-action "+formAction(v)+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	v.Specimen, v.Agent = p.server.Specimen(), p.agent
	w.WriteHeader(status)
	page.Execute(w, v)
}

// asset is a file of the page.
func asset(kind, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		b, err := files.ReadFile(name)
		if err != nil {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(b)
	}
}

package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// page answers one request. What it returns as an error becomes a page of its own.
type page func(q *request) error

// request is what a page works with.
type request struct {
	*http.Request
	c    *Console
	w    http.ResponseWriter
	lang string // vi or en

	// Of pages behind the login:
	session  *session
	operator issuance.Operator
	office   *desk.Office // signs as the operator; for this request alone
}

// problem is an error of the console itself: its code and what to say.
type problem struct {
	code       string
	status     int
	what, hint say
}

func (p *problem) Error() string { return p.what.en }

// The console's own problems.
var (
	errRole      = &problem{"page-role", http.StatusForbidden, say{"Trang này không thuộc phần việc của bạn", "This page is not part of your work"}, say{"Người có vai trò phù hợp đăng nhập để làm việc này.", "Somebody with the role has to log in for it."}}
	errRevoked   = &problem{"page-revoked", http.StatusForbidden, say{"Khóa của bạn đã hết hiệu lực", "Your key is not in use any more"}, say{"Hỏi người quản trị của cơ quan.", "Ask the office's administrator."}}
	errNoPage    = &problem{"page-missing", http.StatusNotFound, say{"Không có trang này", "There is no such page"}, say{"Về trang đầu.", "Go to the first page."}}
	errForm      = &problem{"page-form", http.StatusBadRequest, say{"Dữ liệu gửi lên không đúng mẫu", "What was sent does not fit the form"}, say{"Quay lại, tải lại trang rồi gửi lại.", "Go back, reload the page and send it again."}}
	errTooLarge  = &problem{"page-too-large", http.StatusRequestEntityTooLarge, say{"Dữ liệu gửi lên quá lớn", "What was sent is too large"}, say{"Chọn tệp nhỏ hơn.", "Choose a smaller file."}}
	errStopping  = &problem{"stopping", http.StatusServiceUnavailable, say{"Máy chủ đang dừng", "The server is stopping"}, say{"Thử lại sau ít phút.", "Try again in a few minutes."}}
	errBusyPages = &problem{"too-many", http.StatusTooManyRequests, say{"Có quá nhiều lần thử", "There were too many attempts"}, say{"Đợi một phút rồi thử lại.", "Wait a minute, then try again."}}
)

// open makes the handler of a page that anybody may see.
func (c *Console) open(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		q := &request{Request: r, c: c, w: w, lang: langOf(r)}
		q.answer(p)
	})
}

// page makes the handler of a page for operators with one of the roles, or with any.
func (c *Console) page(p page, roles ...issuance.Role) http.Handler {
	return c.large(maxForm, p, roles...)
}

// large is page for one that takes files, too: up to so many octets.
func (c *Console) large(octets int64, p page, roles ...issuance.Role) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, octets)
		q := &request{Request: r, c: c, w: w, lang: langOf(r), session: c.of(r)}
		q.answer(func(q *request) error {
			done, err := q.enter(roles)
			if err != nil || done == nil {
				return err
			}
			defer done()
			return p(q)
		})
	})
}

// enter lets the operator in; without an error and without a function to call at the end,
// the request was answered by the way to the login.
func (q *request) enter(roles []issuance.Role) (done func(), err error) {
	if q.session == nil {
		q.seek("/login")
		return nil, nil
	}
	key, done := q.session.use(q.c.config.Idle)
	if key == nil {
		q.wait()
		return nil, nil
	}
	office := q.c.config.Office
	office.Signer = key
	q.office = &office
	if q.operator, err = q.who(); err == nil && len(roles) > 0 && !slices.ContainsFunc(roles, q.operator.May) {
		err = errRole
	}
	if err != nil {
		done()
		return nil, err
	}
	return done, nil
}

// who is the operator whose key the session holds.
func (q *request) who() (issuance.Operator, error) {
	list, err := q.office.Operators(q.Context())
	if err != nil {
		return issuance.Operator{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(q.office.Signer.Public())
	if err != nil {
		return issuance.Operator{}, err
	}
	id := issuance.KeyID(sha256.Sum256(der))
	i := slices.IndexFunc(list, func(o issuance.Operator) bool { return o.Key == id && o.Active })
	if i < 0 {
		return issuance.Operator{}, errRevoked
	}
	return list[i], nil
}

// wait keeps what was sent to a locked session until its operator is back. Whether what waits
// is to be done is asked again then: the answer does not take its place.
func (q *request) wait() {
	if q.Method == http.MethodPost && !strings.HasPrefix(q.URL.Path, "/waiting") {
		body, err := io.ReadAll(io.LimitReader(q.Body, maxWaiting+1))
		if err == nil && len(body) <= maxWaiting {
			kind := q.Header.Get("Content-Type")
			q.session.keep(&waiting{q.URL.RequestURI(), kind, withoutSecrets(kind, body)})
		}
	}
	q.seek("/login?locked=1")
}

// seek sends the browser somewhere else by GET.
func (q *request) seek(path string) { http.Redirect(q.w, q.Request, path, http.StatusSeeOther) }

// redirect ends a page that did something: the browser asks for the next one.
func (q *request) redirect(path string) error {
	q.seek(path)
	return nil
}

// again plays what was sent to the locked session, as if it came now.
func (q *request) again() error {
	kept := q.session.kept(true)
	if kept == nil {
		return q.redirect("/")
	}
	r := q.Clone(q.Context())
	u, err := q.URL.Parse(kept.path)
	if err != nil {
		return err
	}
	r.URL, r.RequestURI, r.Form, r.PostForm, r.MultipartForm = u, kept.path, nil, nil, nil
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(kept.body)), int64(len(kept.body))
	r.Header.Set("Content-Type", kept.kind)
	q.c.handler.ServeHTTP(q.w, r)
	return nil
}

// answer runs a page and says what went wrong.
func (q *request) answer(p page) {
	err := p(q)
	if err == nil {
		return
	}
	f, status := q.explain(err)
	if status >= http.StatusInternalServerError {
		q.c.config.Log.ErrorContext(q.Context(), "page failed", "path", q.Pattern, "code", f.Code)
	}
	if e := q.renderStatus(status, "error.html", f); e != nil {
		http.Error(q.w, f.Code, status)
	}
}

// explain says what an error means to whoever looks at the page.
func (q *request) explain(err error) (Failure, int) {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = fmt.Errorf("%w: more than %d octets", errTooLarge, large.Limit)
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return Failure{Code: p.code, Message: p.what.in(q.lang), Hint: p.hint.in(q.lang)}, p.status
	}
	f := forPages(q.c.config.Explain(err, q.lang), q.lang)
	switch {
	case errors.Is(err, context.Canceled):
		return f, http.StatusServiceUnavailable
	case errors.Is(err, desk.ErrUnknown):
		return f, http.StatusNotFound
	case f.Code == "error":
		return f, http.StatusInternalServerError
	}
	return f, http.StatusConflict
}

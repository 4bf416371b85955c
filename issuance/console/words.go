package console

import "net/http"

// say is a text in Vietnamese and English.
type say struct{ vi, en string }

// in is the text in that language; all but en is Vietnamese.
func (s say) in(lang string) string {
	if lang == "en" {
		return s.en
	}
	return s.vi
}

const langCookie = "lang"

// langOf is the language of a request's page: what the browser was told, else Vietnamese.
func langOf(r *http.Request) string {
	if k, err := r.Cookie(langCookie); err == nil && k.Value == "en" {
		return "en"
	}
	return "vi"
}

// speak sets the language for this browser.
func (q *request) speak() error {
	lang := q.FormValue("lang")
	if lang != "en" {
		lang = "vi"
	}
	http.SetCookie(q.w, &http.Cookie{
		Name: langCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 3600, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return q.redirect("/")
}

// roleNames are the roles as people call them.
var roleNames = map[string]say{
	"admin":        {"quản trị", "administrator"},
	"registrar":    {"tiếp nhận", "registrar"},
	"approver":     {"phê duyệt", "approver"},
	"personaliser": {"làm thẻ", "personaliser"},
	"inspector":    {"kiểm tra", "inspector"},
	"clerk":        {"trả thẻ", "clerk"},
	"revoker":      {"thu hồi", "revoker"},
	"custodian":    {"giữ khóa", "custodian"},
	"stock-keeper": {"giữ kho phôi", "stock keeper"},
	"signer":       {"dịch vụ ký", "signing service"},
	"auditor":      {"kiểm toán", "auditor"},
}

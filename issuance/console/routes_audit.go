package console

import (
	"net/http"

	"github.com/tamthe/tamthe/issuance"
)

// auditRoles are those that see the auditor's pages.
var auditRoles = []issuance.Role{issuance.Auditor, issuance.Admin}

// auditRoutes are the pages of the auditor.
func (c *Console) auditRoutes(mux *http.ServeMux) {
	mux.Handle("GET /audit/{$}", c.page(func(q *request) error { return q.render("audit_log.html", nil) }, auditRoles...))
}

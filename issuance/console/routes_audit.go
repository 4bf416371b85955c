package console

import (
	"net/http"

	"github.com/tamthe/tamthe/issuance"
)

// auditRoles are those that see the auditor's pages.
var auditRoles = []issuance.Role{issuance.Auditor, issuance.Admin}

// auditRoutes are the pages of the auditor. None of them writes anything.
func (c *Console) auditRoutes(mux *http.ServeMux) {
	for pattern, p := range map[string]page{
		"GET /audit/{$}":                   (*request).auditLog,
		"GET /audit/entries":               (*request).auditEntries,
		"GET /audit/entries/{index}":       (*request).auditEntry,
		"GET /audit/entries/{index}/proof": (*request).auditProof,
		"POST /audit/consistency":          (*request).auditConsistency,
		"POST /audit/consistency/proof":    (*request).auditContinuation,
		"GET /audit/checkpoint":            (*request).auditCheckpoint,
		"POST /audit/verify":               (*request).auditVerify,
		"GET /audit/eyes":                  (*request).auditEyes,
		"GET /audit/operators":             (*request).auditOperators,
		"GET /audit/operators/{name}":      (*request).auditDeeds,
		"GET /audit/conflicts":             (*request).auditConflicts,
		"GET /audit/stock":                 (*request).auditStock,
		"GET /audit/counts":                (*request).auditCounts,
		"GET /audit/reports/{report}":      (*request).auditReport,
	} {
		mux.Handle(pattern, c.page(func(q *request) error {
			if q.c.config.Ledger == nil {
				return errNoLog
			}
			return p(q)
		}, auditRoles...))
	}
}

package console

import (
	"net/http"

	"github.com/tamthe/tamthe/issuance"
)

// deskRoles are those that work at the desk.
var deskRoles = []issuance.Role{
	issuance.Registrar, issuance.Approver, issuance.Personaliser, issuance.Inspector, issuance.Clerk, issuance.Revoker, issuance.StockKeeper,
}

// deskRoutes are the pages of the desk.
func (c *Console) deskRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/{$}", c.page(func(q *request) error {
		list, err := q.office.Applications(q.Context())
		if err != nil {
			return err
		}
		return q.render("desk_list.html", list)
	}, deskRoles...))
}

package console

import "net/http"

// checkRoutes are the pages of the checkpoint: any operator may look at a card.
func (c *Console) checkRoutes(mux *http.ServeMux) {
	mux.Handle("GET /checkpoint/{$}", c.page(func(q *request) error { return q.render("check_card.html", nil) }))
}

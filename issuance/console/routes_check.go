package console

import "net/http"

// checkRoutes are the pages of the checkpoint: any operator may look at a card. None of them
// writes to the ledger; what was looked at stands in the record of inspections.
func (c *Console) checkRoutes(mux *http.ServeMux) {
	mux.Handle("GET /checkpoint/{$}", c.page(func(q *request) error { return q.render("check_card.html", nil) }))
	mux.Handle("POST /checkpoint/{$}", c.page((*request).inspect))
	mux.Handle("GET /checkpoint/history", c.page((*request).inspections))
	mux.Handle("GET /checkpoint/card/{look}", c.page((*request).showCard))
	mux.Handle("GET /checkpoint/card/{look}/portrait", c.page((*request).showPortrait))
	mux.Handle("GET /checkpoint/card/{look}/slip", c.page((*request).showSlip))
	mux.Handle("POST /checkpoint/card/{look}/holder", c.page((*request).answerHolder))
}

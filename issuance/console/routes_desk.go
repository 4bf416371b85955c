package console

import (
	"net/http"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// deskRoles are those that work at the desk.
var deskRoles = []issuance.Role{
	issuance.Registrar, issuance.Approver, issuance.Personaliser, issuance.Inspector, issuance.Clerk, issuance.Revoker, issuance.StockKeeper,
}

// personRoles are those whose work needs to see whom an application is about.
var personRoles = []issuance.Role{
	issuance.Registrar, issuance.Approver, issuance.Personaliser, issuance.Inspector, issuance.Clerk,
}

// deskRoutes are the pages of the desk.
func (c *Console) deskRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/{$}", c.page((*request).list, deskRoles...))
	mux.Handle("GET /desk/new", c.page((*request).newApplication, issuance.Registrar))
	mux.Handle("POST /desk/new", c.large(maxUpload, (*request).enrol, issuance.Registrar))
	mux.Handle("GET /desk/intake", c.page((*request).intakeList, deskRoles...))
	mux.Handle("GET /desk/intake/{code}", c.page((*request).intakeCase, personRoles...))
	mux.Handle("POST /desk/intake/{code}/import", c.large(maxUpload, (*request).importCase, issuance.Registrar))
	mux.Handle("POST /desk/intake/{code}/refuse", c.page((*request).refuseCase, issuance.Registrar, issuance.Approver))
	mux.Handle("GET /desk/applications/{app}", c.page((*request).application, deskRoles...))
	mux.Handle("GET /desk/applications/{app}/portrait", c.page((*request).portrait, personRoles...))
	mux.Handle("GET /desk/applications/{app}/paper/{form}", c.page((*request).paper, personRoles...))
	for act, do := range map[string]func(*request, string) error{
		"approve": (*request).approve, "ask": (*request).ask,
		"accept": reasoned((*desk.Office).AcceptDifference), "reject": reasoned((*desk.Office).Reject), "cancel": reasoned((*desk.Office).Cancel),
		"complain": reasoned((*desk.Office).Complain), "settle": reasoned(settle),
	} {
		mux.Handle("POST /desk/applications/{app}/"+act, c.page(actOn(do), deskRoles...))
	}
	mux.Handle("POST /desk/applications/{app}/make", c.page((*request).personalise, issuance.Personaliser))
	mux.Handle("GET /desk/cards/{card}", c.page((*request).card, deskRoles...))
	mux.Handle("POST /desk/cards/{card}/check", c.large(maxUpload, (*request).check, issuance.Inspector))
	mux.Handle("POST /desk/cards/{card}/print", c.page((*request).printJob, issuance.Personaliser))
	mux.Handle("POST /desk/cards/{card}/deliver", c.page((*request).deliver, issuance.Clerk))
	mux.Handle("POST /desk/cards/{card}/{act}", c.page((*request).actOnCard, deskRoles...))
	mux.Handle("GET /desk/find", c.page((*request).find, deskRoles...))
	mux.Handle("GET /desk/cards", c.page((*request).cardList, deskRoles...))
	mux.Handle("GET /desk/register", c.page((*request).registerQueue, deskRoles...))
	mux.Handle("POST /desk/register", c.page((*request).askAll, issuance.Registrar, issuance.Approver))
	mux.Handle("GET /desk/stock", c.page((*request).stock, deskRoles...))
	mux.Handle("POST /desk/stock/{act}", c.large(maxCounting, (*request).actOnStock, issuance.StockKeeper))
	mux.Handle("GET /desk/statistics", c.page((*request).statistics, deskRoles...))
}

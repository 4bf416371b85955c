package issuance

// stockRules are those of a batch of blank cards: how many came in, where they are, how
// many are gone. The sums are for those who close the day.
var stockRules = []rule{
	{
		kind: KindStock, act: Receive, from: []Phase{Absent, InStock}, to: InStock, role: []Role{StockKeeper},
		need: []string{"at", "count"}, extra: []string{"transport", "serials", "supplier"},
	},
	{
		kind: KindStock, act: Move, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper},
		need: []string{"at", "to", "count"}, extra: []string{"serials", "shipment"},
	},
	{
		kind: KindStock, act: Count, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper},
		need: []string{"at", "day", "count"},
	},
	{
		kind: KindStock, act: Spoil, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper},
		need: []string{"at", "count", "reason"}, extra: []string{"serials"}, only: map[string][]string{"reason": spoilReasons},
	},
	{
		kind: KindStock, act: Destroy, from: []Phase{InStock}, to: InStock, role: []Role{StockKeeper}, two: always,
		need: []string{"at", "count"}, extra: []string{"serials", "report"},
	},
}

// deskRules are those of a desk that may work apart from the others: what it was given,
// and up to where its own log was taken over.
var deskRules = []rule{
	{
		kind: KindDesk, act: Enrol, to: Enrolled, role: []Role{Admin}, two: always,
		need: []string{"origin", "logkey"}, extra: []string{"at"},
	},
	{
		kind: KindDesk, act: Grant, from: []Phase{Enrolled}, to: Enrolled, role: []Role{Admin, StockKeeper, Custodian}, two: always,
		extra: []string{"batch", "count", "ds", "cap", "first", "last"},
	},
	{
		kind: KindDesk, act: Sync, from: []Phase{Enrolled}, to: Enrolled, role: []Role{Admin, Auditor, Signer},
		need: []string{"size", "tree"}, extra: []string{"conflicts"},
	},
	{
		kind: KindDesk, act: Revoke, from: []Phase{Enrolled}, to: Revoked, role: []Role{Admin}, two: always,
		need: []string{"reason"}, extra: []string{"from"}, only: map[string][]string{"reason": operatorReasons}, check: fromThePast,
	},
}

func fromThePast(_ *Book, _ *Subject, e *Entry) error { return isPast(e) }

// dayRules: a day at a place is closed once, by who keeps the stock.
var dayRules = []rule{{
	kind: KindDay, act: Close, to: Closed, role: []Role{StockKeeper},
	need: []string{"at", "day"}, extra: []string{"size", "tree", "report"},
}}

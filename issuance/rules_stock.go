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

// dayRules: a day at a place is closed once, by who keeps the stock.
var dayRules = []rule{{
	kind: KindDay, act: Close, to: Closed, role: []Role{StockKeeper},
	need: []string{"at", "day"}, extra: []string{"size", "tree", "report"},
}}

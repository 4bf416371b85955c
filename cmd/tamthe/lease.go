package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// leaseJSON is who works on an application or a chip.
type leaseJSON struct {
	Subject string `json:"subject"`
	Holder  string `json:"holder"`
	Until   string `json:"until"`
}

func leaseOf(l *ledger.Lease) *leaseJSON {
	if l == nil {
		return nil
	}
	return &leaseJSON{l.Subject, l.Holder, l.Until.UTC().Format(time.RFC3339)}
}

// leaseLine is empty where nobody works on it.
func leaseLine(l *ledger.Lease) string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("%s, until %s", l.Holder, l.Until.Local().Format(time.DateTime))
}

// leaseClass says what to do where another desk has an application or a chip in hand.
func leaseClass(e *ledger.LeaseError) class {
	if e.Lost {
		return class{code: "taken-over", exit: exitConflict, hint: "stop here: another desk goes on with it; `tamthe card show` tells who, and where the card stands"}
	}
	return class{code: "leased", exit: exitConflict, hint: "wait, or ask the desk that has it; one that was cut off loses it at that time"}
}

func leaseVi(e *ledger.LeaseError) string {
	kind, name, _ := strings.Cut(e.Subject, "/")
	what := map[string]string{"application": "hồ sơ ", "chip": "chip "}[kind] + name
	until := e.Until.Local().Format("15:04:05 02/01/2006")
	switch {
	case e.Lost && e.Holder == "":
		return what + " đã được quầy khác nhận làm rồi trả lại trong lúc quầy này dừng"
	case e.Lost:
		return fmt.Sprintf("%s đã được %s nhận làm, giữ đến %s", what, e.Holder, until)
	}
	return fmt.Sprintf("%s đang được %s giữ đến %s", what, e.Holder, until)
}

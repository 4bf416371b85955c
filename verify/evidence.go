package verify

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
)

// evidence is all that an inspection learned, before anything is judged.
type evidence struct {
	files  Files
	denied map[lds.File]error // asked for, and denied or never whole
	chip   *chipEvidence      // nil if files were given
	status *statusAnswer      // nil if nobody was asked
	face   *faceAnswer        // nil if no program compared faces
}

// chipEvidence is what only a chip can show.
type chipEvidence struct {
	access    card.Access
	traffic   apdu.Traffic
	recorded  *Record       // what a record holds; nil if the chip is here
	broken    error         // why the secure channel closed; nil if it held
	asked     *ActiveRecord // what the chip signed
	active    *proof[auth.ActiveProof]
	agreement *proof[auth.ChipProof]
	mapping   *proof[auth.ChipProof] // of PACE with Chip Authentication Mapping
	terminal  *proof[struct{}]       // Terminal Authentication
}

// proof is an attempt to have the chip prove its key.
type proof[T any] struct {
	result *T
	err    error
}

// statusAnswer is what a StatusSource said.
type statusAnswer struct {
	StatusAnswer
	err error
}

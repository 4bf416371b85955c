package ledger

import "time"

// Health is how a store does, as whoever asks finds it.
type Health struct {
	Trip time.Duration // between a question and its answer
	Off  time.Duration // by how much the store's clock is ahead of this machine's; zero where they are one

	Size int64
	Last time.Time // of the newest entry; zero for an empty log

	// Where one program at a time appends for all: which, how often that changed, and the
	// queue on which desks without the log key lay what they want appended. Epoch is zero in
	// a store that needs no such thing.
	Epoch     int64
	Sequencer string
	Queue     *Queue // nil where there is none

	Held, Over int // leases, and those that their holders did not give back in time
}

// Unheard is how long one who takes what desks hand in may say nothing: it may be waiting for a
// disk, or another may be taking over. After that a desk begins no card.
const Unheard = 15 * time.Second

// Queue is how the queue of a store stands.
type Queue struct {
	Waiting int
	Oldest  time.Duration // how long the first of them has waited
	Worker  string        // who works on it, or was the last to; empty if nobody ever did
	Epoch   int64         // grows when another takes it over
	Silent  time.Duration // how long that one has not been heard of
	Left    bool          // that one ended, and said so
}

// Leases counts them.
func (h *Health) Leases(list []Lease) {
	for _, l := range list {
		if l.Left > 0 {
			h.Held++
		} else {
			h.Over++
		}
	}
}

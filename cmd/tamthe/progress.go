package main

import (
	"fmt"
	"io"
	"strings"
)

// progress draws how far a long step has come, on a terminal only. The zero value draws
// nothing.
type progress struct {
	w     io.Writer
	drawn bool
}

func (p *program) progress() *progress {
	if p.json || !p.terminal() {
		return &progress{}
	}
	return &progress{w: p.err}
}

// show draws the step in place of the one before: its name, and a bar if its length is
// known.
func (g *progress) show(what string, done, total int) {
	if g.w == nil {
		return
	}
	g.drawn = true
	if total == 0 {
		fmt.Fprintf(g.w, "\r\x1b[K%s", what)
		return
	}
	const width = 30
	n := min(width, width*done/total)
	fmt.Fprintf(g.w, "\r\x1b[K%-12s %s%s %d/%d", what, strings.Repeat("█", n), strings.Repeat("░", width-n), done, total)
}

// end wipes what was drawn. It may be called more than once.
func (g *progress) end() {
	if g.drawn {
		fmt.Fprint(g.w, "\r\x1b[K")
		g.drawn = false
	}
}

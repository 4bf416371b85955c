package console

import (
	"fmt"
	"html/template"
	"strings"
)

// bar is a row of a plot: one number, or two of which the second is drawn behind the first.
type bar struct {
	Name     string
	One, Two int
	Over     bool // beyond what the law allows
}

// Sizes of a plot, in its own units.
const (
	plotWidth, plotLabel, plotValue = 640, 190, 60
	plotRow                         = 30
	plotRows                        = 62 // at most: two months of days
	plotName                        = 26 // characters of a name
)

// plot draws rows of bars as an SVG picture without scripts and styles of its own. What it
// shows stands in a table beside it too.
func plot(title string, bars []bar) template.HTML {
	if len(bars) == 0 {
		return ""
	}
	if len(bars) > plotRows {
		bars = bars[len(bars)-plotRows:]
	}
	most := 1
	for _, b := range bars {
		most = max(most, b.One, b.Two)
	}
	esc := template.HTMLEscapeString
	var s strings.Builder
	fmt.Fprintf(&s, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, plotWidth, len(bars)*plotRow, esc(title))
	for i, b := range bars {
		y := i * plotRow
		fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLabel-8, y+20, esc(short(b.Name)))
		wide := func(n int) int { return n * (plotWidth - plotLabel - plotValue) / most }
		if b.Two > 0 {
			fmt.Fprintf(&s, `<rect class="two" x="%d" y="%d" width="%d" height="20"/>`, plotLabel, y+5, wide(b.Two))
		}
		class, height, top := "one", 20, 5
		if b.Over {
			class = "over"
		}
		if b.Two > 0 {
			height, top = 10, 10
		}
		fmt.Fprintf(&s, `<rect class="%s" x="%d" y="%d" width="%d" height="%d"/>`, class, plotLabel, y+top, wide(b.One), height)
		value := fmt.Sprint(b.One)
		if b.Two > 0 {
			value = fmt.Sprintf("%d / %d", b.One, b.Two)
		}
		fmt.Fprintf(&s, `<text x="%d" y="%d">%s</text>`, plotLabel+wide(max(b.One, b.Two))+6, y+20, value)
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String())
}

// short is a name that fits beside its bar.
func short(name string) string {
	r := []rune(name)
	if len(r) <= plotName {
		return name
	}
	return string(r[:plotName-1]) + "…"
}

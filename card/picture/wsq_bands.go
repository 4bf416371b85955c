package picture

// area is a rectangle of samples.
type area struct{ x, y, w, h int }

// quarters cuts an area in four: left above, right above, left below, right below. The low
// frequencies lie left and above and have the odd sample; they lie right where right is
// set, and below where below is.
func (a area) quarters(right, below bool) [4]area {
	w, h := (a.w+1)/2, (a.h+1)/2
	if right {
		w = a.w / 2
	}
	if below {
		h = a.h / 2
	}
	return [4]area{
		{a.x, a.y, w, h},
		{a.x + w, a.y, a.w - w, h},
		{a.x, a.y + h, w, a.h - h},
		{a.x + w, a.y + h, a.w - w, a.h - h},
	}
}

// join makes the samples of an area from its four quarters.
type join struct {
	area
	right, below bool
}

// wsqPlan says where the subbands lie, and in which order they are joined.
type wsqPlan struct {
	width, height int
	bands         [wsqBands]area
	joins         []join
}

// planWSQ is the tree of subbands (IAFIS-IC-0110 §2, the figure of the symmetric wavelet
// packet): the quarter of low frequencies is cut in 16 three times and its deepest corner
// once more, those beside and below it in four.
func planWSQ(width, height int) wsqPlan {
	p := wsqPlan{width: width, height: height}
	whole := area{0, 0, width, height}
	outer := whole.quarters(false, false)
	inner := outer[0].quarters(false, false)
	deepest := inner[0].quarters(false, false)[0].quarters(false, false)[0]

	p.joins = append(p.joins, join{area: deepest})
	p.sixteen(inner[0], 3, false, false)
	for i, a := range deepest.quarters(false, false) {
		p.bands[i] = a // band 3 is a quarter of what would be band 3 without it
	}
	p.sixteen(inner[1], 19, true, false)
	p.sixteen(inner[2], 35, false, true)
	p.bands[51] = inner[3]
	p.joins = append(p.joins, join{area: outer[0]})
	p.four(outer[1], 52, true, false)
	p.four(outer[2], 56, false, true)
	p.joins = append(p.joins, join{area: whole})
	return p
}

func (p *wsqPlan) sixteen(a area, first int, right, below bool) {
	for i, q := range a.quarters(right, below) {
		p.four(q, first+4*i, i%2 == 1, i >= 2)
	}
	p.joins = append(p.joins, join{a, right, below})
}

func (p *wsqPlan) four(a area, first int, right, below bool) {
	for i, q := range a.quarters(right, below) {
		p.bands[first+i] = q
	}
	p.joins = append(p.joins, join{a, right, below})
}

// coded is how many coefficients a file holds.
func (p *wsqPlan) coded(b *wsqBins) int {
	n := 0
	for i, a := range p.bands {
		if b.width[i] != 0 {
			n += a.w * a.h
		}
	}
	return n
}

// place makes samples of coefficients and puts them to their places.
func (p *wsqPlan) place(b *wsqBins, coded []int16) []float32 {
	samples := make([]float32, p.width*p.height)
	for i, a := range p.bands {
		if b.width[i] == 0 {
			continue
		}
		for y := range a.h {
			row := samples[(a.y+y)*p.width+a.x:][:a.w]
			for x := range row {
				row[x] = b.value(i, coded[x])
			}
			coded = coded[a.w:]
		}
	}
	return samples
}

func (b *wsqBins) value(band int, n int16) float32 {
	switch {
	case n > 0:
		return float32(b.width[band]*(float64(n)-b.centre) + b.zero[band]/2)
	case n < 0:
		return float32(b.width[band]*(float64(n)+b.centre) - b.zero[band]/2)
	}
	return 0
}

// maxTaps is the longest filter; the standard's has nine.
const maxTaps = 31

// run joins columns, then rows.
func (j join) run(samples []float32, width int, low, high []float32) {
	var l line
	l.low, l.high = low, high
	for x := range j.w {
		l.join(samples[j.y*width+j.x+x:], width, j.h, j.below)
	}
	for y := range j.h {
		l.join(samples[(j.y+y)*width+j.x:], 1, j.w, j.right)
	}
}

// line joins one row or column.
type line struct {
	low, high []float32
	extended  []float32 // low and high samples in turn, with a margin that mirrors them
}

const margin = maxTaps / 2

func (l *line) join(s []float32, stride, n int, lowLast bool) {
	if cap(l.extended) < n+2*margin {
		l.extended = make([]float32, n+2*margin)
	}
	e := l.extended[:n+2*margin]
	lows, highs := 0, (n+1)/2
	if lowLast {
		lows, highs = n/2, 0
	}
	for i := range (n + 1) / 2 {
		e[margin+2*i] = s[(lows+i)*stride]
	}
	for i := range n / 2 {
		e[margin+2*i+1] = s[(highs+i)*stride]
	}
	for i := 1; i <= margin; i++ {
		e[margin-i] = e[margin+mirror(i, n)]
		e[margin+n-1+i] = e[margin+mirror(n-1+i, n)]
	}
	for i := range n {
		at := margin + i
		first, second := l.low, l.high // taps for samples of i's own kind, and of the other
		if i%2 == 1 {
			first, second = l.high, l.low
		}
		s[i*stride] = even(e, at, first) + odd(e, at, second)
	}
}

// mirror is where sample i of n lies when both ends mirror what is between, n > 1.
func mirror(i, n int) int {
	period := 2 * (n - 1)
	i %= period
	return min(i, period-i)
}

// even sums the samples at even distances from at, weighted by a symmetric filter.
func even(e []float32, at int, taps []float32) float32 {
	half := taps[len(taps)/2:]
	sum := e[at] * half[0]
	for d := 2; d < len(half); d += 2 {
		sum += (e[at-d] + e[at+d]) * half[d]
	}
	return sum
}

// odd sums the samples at odd distances.
func odd(e []float32, at int, taps []float32) float32 {
	half := taps[len(taps)/2:]
	var sum float32
	for d := 1; d < len(half); d += 2 {
		sum += (e[at-d] + e[at+d]) * half[d]
	}
	return sum
}

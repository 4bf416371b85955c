package status

// coder codes a set whose members come three times over, so that none has to be kept:
// counted, measured, written.
type coder struct {
	n, last uint64 // how many members there are up to which

	from    uint      // the first of the parameters that are tried
	lengths [4]uint64 // of the code by each
	tried   int
	next    uint64 // the least member that can come

	k uint
	w bitWriter
}

// begin is for when the members are counted.
func (c *coder) begin() {
	if c.n > 0 {
		from, to := candidates(c.n, c.last)
		c.from, c.tried = from, int(to-from)+1
	}
}

func (c *coder) measure(v uint64) {
	gap := v - c.next
	for i := range c.tried {
		k := c.from + uint(i)
		c.lengths[i] += gap>>k + 1 + uint64(k)
	}
	c.next = v + 1
}

// choose is for when they are measured.
func (c *coder) choose() {
	best := 0
	for i := range c.tried {
		if c.lengths[i] < c.lengths[best] {
			best = i
		}
	}
	if c.n > 0 {
		c.k, c.next = c.from+uint(best), 0
		c.w.b = make([]byte, 0, (c.lengths[best]+7)/8)
	}
}

func (c *coder) write(v uint64) {
	c.w.ones((v - c.next) >> c.k)
	c.w.bits(v-c.next, c.k)
	c.next = v + 1
}

// set is what was written, to be written on: it has no marks to look members up by.
func (c *coder) set() set { return set{count: c.n, k: c.k, code: c.w.b, bits: c.w.n} }

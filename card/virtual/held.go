package virtual

import "github.com/tamthe/tamthe/apdu"

// response serves a command or GET RESPONSE: what an answer can't carry waits for GET RESPONSE (ISO/IEC
// 7816-4 §5.3.4), below secure messaging. Any other command drops it.
func (c *Chip) response(cmd apdu.Command) apdu.Response {
	const getResponse = 0xC0
	clear := cmd.CLA&secureMessaging != secureMessaging
	if cmd.INS == getResponse && cmd.CLA == 0 && cmd.P1|cmd.P2 == 0 && len(cmd.Data) == 0 && len(c.held.Data) > 0 {
		return c.hold(c.held, cmd.Le, clear)
	}
	c.held = apdu.Response{}
	r := c.serve(cmd)
	return c.hold(r, cmd.Le, clear)
}

// hold gives what fits of an answer and keeps the rest.
func (c *Chip) hold(r apdu.Response, le int, clear bool) apdu.Response {
	c.held = apdu.Response{}
	if le == 0 {
		le = apdu.MaxShortLe
	}
	room := c.room(le)
	if most := c.image.quirks.Held; most > 0 && clear {
		room = min(room, most)
	}
	if len(r.Data) <= room {
		return r
	}
	c.held = apdu.Response{Data: r.Data[room:], Status: r.Status}
	left := apdu.Status(0)
	if n := len(c.held.Data); n < apdu.MaxShortLe {
		left = apdu.Status(n)
	}
	return apdu.Response{Data: r.Data[:room], Status: apdu.BytesRemaining | left}
}

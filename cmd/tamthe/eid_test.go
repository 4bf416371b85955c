package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/verify/eid"
)

// partyCommand is a relying party of the service at $URL, and its citizen's browser:
//
//	party begin PARTY SECRET PURPOSE FIELD…      sets CODE
//	party redeem PARTY SECRET FINISH FILE        writes what the assertion says
//	party refused PARTY SECRET FINISH WORD       redeems, and is refused by that code
func partyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: party begin|redeem|refused …")
	}
	ctx, file := context.Background(), ts.MkAbs("login")
	c := &eid.Client{URL: ts.Getenv("URL"), Party: args[1], Secret: args[2]}
	if args[0] == "begin" {
		b, err := c.Begin(ctx, eid.Ask{Purpose: args[3], Fields: args[4:], Nonce: "nonce-of-the-party"})
		ts.Check(err)
		text, err := json.Marshal(b)
		ts.Check(err)
		ts.Check(os.WriteFile(file, text, 0o600))
		ts.Setenv("CODE", b.Code)
		return
	}
	var b eid.Begun
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("login")), &b))
	token, err := c.Redeem(ctx, &b, strings.TrimSpace(args[3]))
	if args[0] == "refused" {
		if eid.CodeOf(err) != eid.Code(args[4]) {
			ts.Fatalf("%v, not %s", err, args[4])
		}
		return
	}
	ts.Check(err)
	keys, err := c.Keys(ctx)
	ts.Check(err)
	claims, err := eid.Verify(token, keys, c.URL, args[1], "nonce-of-the-party", time.Now())
	ts.Check(err)
	text, err := json.Marshal(claims)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[4]), append(text, '\n'), 0o600))
}

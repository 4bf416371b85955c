package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/credential"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// everyVerb calls f for each command that help lists.
func everyVerb(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			everyVerb(sub, f)
		}
	}
}

// Every verb's help ends in the exit statuses and an example of that verb.
func TestHelp(t *testing.T) {
	n := 0
	everyVerb(newRoot(&program{}), func(c *cobra.Command) {
		n++
		var out, errw bytes.Buffer
		p := &program{out: &out, err: &errw, home: home(t.TempDir())}
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		if status := p.run(context.Background(), args); status != 0 || errw.Len() > 0 {
			t.Errorf("%v: status %d, %s", args, status, &errw)
		}
		text := out.String()
		_, end, found := strings.Cut(text, exitHelp)
		if !found || strings.Count(text, "EXIT STATUS") != 1 {
			t.Errorf("%v does not tell the exit statuses once", args)
		}
		if !strings.HasPrefix(end, "\nEXAMPLE\n  tamthe ") || c.HasParent() && !strings.Contains(end, "  "+c.CommandPath()) {
			t.Errorf("%v ends in %q", args, end)
		}
		for _, l := range strings.Split(text, "\n") {
			if len([]rune(l)) > 100 {
				t.Errorf("%v has a line of %d characters: %s", args, len([]rune(l)), l)
			}
		}
		if c.HasParent() && (c.Short == "" || c.Long == "" || strings.HasSuffix(c.Short, ".")) {
			t.Errorf("%v: %q", args, c.Short)
		}
	})
	if n < 30 {
		t.Errorf("only %d verbs", n)
	}
}

// No flag takes a secret as its value: a key is named by its file or its token's URI.
func TestSecretsAreNoFlags(t *testing.T) {
	everyVerb(newRoot(&program{}), func(c *cobra.Command) {
		for _, name := range []string{"can", "mrz", "passphrase", "password", "pin", "key"} {
			f := c.Flags().Lookup(name)
			if f != nil && (name != "key" || !strings.Contains(f.Usage, "`FILE`") && !strings.Contains(f.Usage, "`URI`")) {
				t.Errorf("%s --%s", c.CommandPath(), name)
			}
		}
	})
}

// Every failure has Vietnamese words, and every code is used.
func TestVietnamese(t *testing.T) {
	known := map[string]bool{}
	for _, c := range append([]class{
		classOf(errors.New("x")), classOf(interruptedError{errors.New("x")}), classOf(usagef("x")), classOf(&pcsc.AmbiguousError{}), classOf(&record.TamperError{}),
		{code: "state"},
		{code: "duplicate"},
		classOf(&ledger.LeaseError{}), classOf(&ledger.LeaseError{Lost: true}),
		{code: "wrong-chip"},
		classOf(&population.RefusedError{}),
		classOf(&abis.RefusedError{}),
		classOf(&credential.Refusal{}),
		{code: "chip-differs"},
		classOf(&keptError{}), classOf(&desk.AlreadyKeptError{}),
		{code: "refused"},
		{code: "field"},
	}, slices.Concat(classes, logins())...) {
		known[c.code] = true
		if _, ok := inVietnamese[c.code]; !ok {
			t.Errorf("%s has no Vietnamese words", c.code)
		}
	}
	for code := range inVietnamese {
		if !known[code] {
			t.Errorf("%s is no failure's code", code)
		}
	}
}

// logins are the classes of logins that came to nothing.
func logins() (list []class) {
	for _, c := range eid.Codes() {
		list = append(list, classOf(&eid.Refusal{Code: c}))
	}
	return list
}

// What is said of an error: the message with foreign text made harmless, the hint, and in
// JSON one line.
func TestFinish(t *testing.T) {
	err := fmt.Errorf("open \x1b[31m\u202Ename: %w", hint(ledger.ErrFull, "buy a disk"))
	for _, c := range []struct {
		p    program
		want string
	}{
		{program{}, "tamthe: open \\u001b[31m\\u202ename: the disk is full\nhint: buy a disk\n"},
		{program{json: true}, `{"error":{"code":"disk-full","exit":1,"message":"open \\u001b[31m\\u202ename: the disk is full","hint":"buy a disk"}}` + "\n"},
		{program{json: true, lang: "vi"}, `{"error":{"code":"disk-full","exit":1,"message":"open \\u001b[31m\\u202ename: the disk is full","hint":"buy a disk"}}` + "\n"},
		{program{lang: "vi"}, "tamthe: đĩa đã đầy (open \\u001b[31m\\u202ename: the disk is full)\ngợi ý: giải phóng chỗ trên đĩa và chạy lại lệnh; chưa ghi gì cả\n"},
	} {
		var b bytes.Buffer
		c.p.err = &b
		if status := c.p.finish(err); status != exitError || b.String() != c.want {
			t.Errorf("status %d\n%s\nwant\n%s", status, &b, c.want)
		}
	}
	if got := classify(interruptedError{err}); got.Exit != exitInterrupted || got.Hint != "buy a disk" {
		t.Errorf("%+v", got)
	}
	if got := classify(errors.New("x")); got.Code != "error" || got.Exit != exitError {
		t.Errorf("what nobody knows is no failure: %+v", got)
	}
}

// A verb alone is the one that stands among all of them.
func TestOneVerbIsMade(t *testing.T) {
	for _, v := range verbTable {
		root := newRoot(&program{}, v.name, "x")
		c, _, err := root.Find([]string{v.name})
		if err != nil || c.Name() != v.name || c.GroupID != v.group || len(root.Commands()) != 1 {
			t.Errorf("%s: %v, %v of %d", v.name, err, c.Name(), len(root.Commands()))
		}
	}
	for _, args := range [][]string{nil, {"--help"}, {"nonsense"}, {"--reader", "judge", "read"}} {
		if n := len(newRoot(&program{}, args...).Commands()); n < len(verbTable) {
			t.Errorf("%q: %d verbs", args, n)
		}
	}
}

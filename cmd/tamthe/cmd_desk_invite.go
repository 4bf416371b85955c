package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/durable"
)

// invitation is what a new desk of an office gets from it.
type invitation struct {
	Schema string `json:"schema"`
	Desk   string `json:"desk"`
	Office string `json:"office"` // public key of the office's log
	Keys   []byte `json:"keys"`   // of the vault, see vault.Share
}

const (
	invitationSchema = "tamthe/invitation/1"
	maxInvitation    = 64 << 10
	invitedHours     = 72 // how long a desk works without a receipt, until its config.toml says otherwise
)

// errInvitation says that a file is no invitation, or another passphrase's.
var errInvitation = errors.New("no invitation that opens with this passphrase")

func newDeskInvite(p *program) *cobra.Command {
	var pass string
	cmd := &cobra.Command{
		Use:   "invite NAME FILE",
		Short: "At the office: write what a new desk needs from it",
		Long: `Writes a new file, encrypted with a passphrase of its own, for tamthe init --invitation at
a desk that is to work apart. It holds the keys under which all desks of the office name
persons alike, so that nobody gets two cards at two desks, and the public key of the office's
log. Send the passphrase another way. Two administrators sign.
`,
		Example: "  tamthe desk invite hn-01 hn-01.invitation --operator an --second binh",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeskInvite(cmd.Context(), p, args[0], args[1], pass)
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&pass, "new-passphrase-file", "", "`FILE` with a passphrase for the invitation (else it is asked)")
	return cmd
}

func runDeskInvite(ctx context.Context, p *program, name, file, passFile string) error {
	if err := checkWord("NAME", name); err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	pass, err := p.newPassphrase(ctx, passFile, "--new-passphrase-file", name)
	if err != nil {
		return err
	}
	to, err := age.NewScryptRecipient(pass)
	if err != nil {
		return usagef("the invitation needs a passphrase")
	}
	founding, err := office.ledger.Leaf(ctx, 0)
	if err != nil {
		return err
	}
	first, _, err := issuance.ParseLeaf(founding)
	if err != nil {
		return err
	}
	keys, err := office.InviteBranch(ctx, name)
	if err != nil {
		return err
	}
	defer keys.Destroy()
	if err := seal(file, to, invitation{invitationSchema, name, first.Fields["logkey"], keys.Bytes()}); err != nil {
		return err
	}
	return p.result(struct {
		Schema string `json:"schema"`
		Desk   string `json:"desk"`
		File   string `json:"file"`
	}{"tamthe/desk-invite/1", name, file}, file, "")
}

// seal writes a document to a new file that only who has the recipient's secret reads.
func seal(file string, to age.Recipient, v any) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return err
	}
	defer clear(plain)
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err
	}
	return durable.Export(file, b.Bytes(), 0o600)
}

// openInvitation reads an invitation.
func (p *program) openInvitation(ctx context.Context, file, passFile string) (*invitation, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pass, err := p.passphrase(ctx, passFile, "--invitation-passphrase-file", "invitation")
	if err != nil {
		return nil, err
	}
	from, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, errInvitation)
	}
	r, err := age.Decrypt(io.LimitReader(f, maxInvitation), from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, errInvitation)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, errInvitation)
	}
	defer clear(plain)
	var i invitation
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if err := d.Decode(&i); err != nil || i.Schema != invitationSchema || checkWord("desk", i.Desk) != nil {
		return nil, fmt.Errorf("%s: %w", file, errInvitation)
	}
	return &i, nil
}

// writeDeskConfig says in config.toml whose desk this is, unless it says so already.
func (p *program) writeDeskConfig(i *invitation) error {
	if p.conf.Desk.Name != "" {
		return nil
	}
	var c config
	c.Desk.Name, c.Desk.Office, c.Desk.Hours = i.Desk, i.Office, invitedHours
	text, err := toml.Marshal(struct {
		Desk any `toml:"desk"`
	}{c.Desk})
	if err != nil {
		return err
	}
	return p.appendConfig(text)
}

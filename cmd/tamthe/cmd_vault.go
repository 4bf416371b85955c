package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
)

func newVault(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Destroy personal data, and keep the keys that open them",
		Long: `The personal data of each application lie in the ledger under keys of its own. The keys
lie apart, in subjects.db, or where config.toml says, for desks that share a ledger; without them
the data are noise, in the ledger and in all its copies.

  [vault]
  keys = "postgres:host=keys.example dbname=vault user=desk sslmode=verify-full"

What is destroyed is written out of a database's tables at once. The server's write-ahead log and
copies of the database hold it, wrapped, until the next ` + "`tamthe vault rotate`" + `.
`,
		Example: "  tamthe vault backup keys.backup",
	}
	cmd.AddCommand(newVaultBackup(p), newVaultRestore(p), newVaultRotate(p), newVaultSweep(p), newVaultShred(p))
	return family(cmd)
}

func newVaultBackup(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the keys of the vault to a new file",
		Long: `Copies the wrapped keys of all subjects to a new file. Who is shredded later is still in
the copy: it expires with the next ` + "`tamthe vault rotate`" + `, which destroys the key that opens it.
A copy of the ledger holds none of these keys.
`,
		Example: "  tamthe vault backup keys.backup",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runVaultBackup(cmd.Context(), p, args[0]) },
	}
}

// vaultJSON is what the verbs of the vault print.
type vaultJSON struct {
	Schema    string `json:"schema"`
	Key       string `json:"key"` // the name of the key that wraps the others
	Destroyed int    `json:"destroyed"`
}

func runVaultBackup(ctx context.Context, p *program, file string) error {
	where, err := p.vaultPlace()
	if err != nil {
		return err
	}
	s, err := where.openKeys(ctx, true)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := (place{path: file}).copyKeys(ctx, s); err != nil {
		return err
	}
	p.say("copied to %s; it is good until the next `tamthe vault rotate`", file)
	return p.result(vaultJSON{"tamthe/vault-backup/1", s.KEK(), 0}, file, "")
}

func newVaultRestore(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a copy of the keys back where the vault was lost",
		Long: `Puts a copy that ` + "`tamthe vault backup`" + ` made in the place of a vault that is lost, and
destroys in it again what was shredded since. Keys that were made after the copy are lost for
good. A copy from before the last rotation opens no more and is refused.
`,
		Example: "  tamthe vault restore keys.backup",
		Args:    exactly(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runVaultRestore(cmd.Context(), p, args[0]) },
	}
}

// errExpired says that a copy of the keys cannot be opened any more.
var errExpired = errors.New("the copy has expired: the key that opens it was destroyed")

func runVaultRestore(ctx context.Context, p *program, file string) error {
	if err := p.hide(); err != nil {
		return err
	}
	where, err := p.vaultPlace()
	if err != nil {
		return err
	}
	switch there, err := where.keysThere(ctx); {
	case err != nil:
		return err
	case there:
		return hint(fmt.Errorf("%s: %w", where, fs.ErrExist), "nothing was changed; move it away first if it is damaged")
	}
	if err := p.copyVault(ctx, file, where); err != nil {
		return err
	}
	if err := runVaultSweep(ctx, p); err != nil {
		return hint(err, "the copy is in place; `tamthe vault sweep` destroys what was shredded since")
	}
	return nil
}

// copyVault copies a database of keys that this home can open.
func (p *program) copyVault(ctx context.Context, from string, to place) error {
	s, err := sqlite.OpenSubjectsCopy(ctx, from)
	if err != nil {
		return err
	}
	defer s.Close()
	kek, err := p.vaultRing().Wrapper(ctx, s.KEK())
	if errors.Is(err, keystore.ErrMissing) {
		return fmt.Errorf("%s: %w", from, errExpired)
	}
	if err != nil {
		return err
	}
	defer forget(kek)
	v, err := vault.Open(ctx, s, kek)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	v.Destroy()
	return to.copyKeys(ctx, s)
}

func newVaultRotate(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Wrap all keys anew and destroy the key that wrapped them",
		Long: `Wraps every key of the vault under a new one and destroys the old one. From then on no
older copy of subjects.db opens, wherever it is: what was shredded before is out of reach in
every copy. Run it as often as copies of personal data may live at most.
`,
		Example: "  tamthe vault rotate --operator an && tamthe vault backup keys.backup",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVaultRotate(cmd.Context(), p) },
	}
	p.actingFlags(cmd)
	return cmd
}

func runVaultRotate(ctx context.Context, p *program) error {
	o, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer o.done()
	old := o.subjects.KEK()
	next, kek, err := p.nextKEK(ctx, old)
	if err != nil {
		return err
	}
	defer forget(kek)
	if err := o.subjects.Rewrap(ctx, next, o.Vault.Rewrap(ctx, kek)); err != nil {
		return err
	}
	if err := p.vaultRing().Destroy(ctx, old); err != nil {
		return hint(err, "the vault works under %s; destroy %s by hand", next, p.home.path(keysDir, old))
	}
	p.say("all keys are under %s; copies made before open no more", next)
	return p.result(vaultJSON{"tamthe/vault-rotate/1", next, 1}, next, next)
}

func newVaultSweep(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "sweep",
		Short: "Destroy every key that should be gone by what the ledger says",
		Long: `Destroys the keys of subjects that were shredded, and the biometric keys of cards that were
delivered, where the vault has them all the same: a program was killed in between, or a copy
was put back.
`,
		Example: "  tamthe vault sweep",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runVaultSweep(cmd.Context(), p) },
	}
}

func runVaultSweep(ctx context.Context, p *program) error {
	o, err := p.openOffice(ctx, sweeping)
	if err != nil {
		return err
	}
	defer o.done()
	n, err := o.Sweep(ctx, o.subjects.Live)
	if err != nil {
		return err
	}
	p.say("destroyed %d keys", n)
	return p.result(vaultJSON{"tamthe/vault-sweep/1", o.subjects.KEK(), n}, "", "")
}

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

func newLint(p *program) *cobra.Command {
	var o lintOptions
	cmd := &cobra.Command{
		Use:   "lint FILE…",
		Short: "Say which rules of ICAO 9303 certificates and signed lists break",
		Long: `Reads certificates, revocation lists, master and deviation lists and security objects
(EF.SOD) of whatever authority, DER or PEM, and says which rules of ICAO 9303-12 and
9303-10 each breaks, with the clause. A warning is a recommendation, or a rule that is
younger than the certificate. Issuers among the files are found by their signature; rules
that compare with an issuer are left out where it is not there. With --upload the rules are
those by which the ICAO PKD takes or refuses an upload. Nothing is said about trust: many
states' certificates break rules, and their documents are genuine. Errors make exit status 3.
`,
		Example: "  tamthe pki lint csca.cer ds-001.cer csca.crl\n  tamthe pki lint --upload ds-001.cer list.ml\n  tamthe pki lint --rules",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && !o.rules {
				return usagef("which files?")
			}
			if o.rules && len(args) > 0 {
				return usagef("--rules lists the rules and takes no files")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if o.rules {
				return listRules(p)
			}
			return runLint(p, args, o)
		},
	}
	cmd.Flags().BoolVar(&o.upload, "upload", false, "by the ICAO PKD's own checks of uploads")
	cmd.Flags().BoolVar(&o.rules, "rules", false, "list all rules with their clauses")
	return cmd
}

type lintOptions struct{ upload, rules bool }

// listRules prints every rule that lint knows.
func listRules(p *program) error {
	if p.documents {
		type ruleJSON struct {
			Of   string `json:"of"`
			Rule string `json:"rule"`
			Spec string `json:"spec"`
		}
		var list []ruleJSON
		for _, r := range pki.Rules() {
			list = append(list, ruleJSON{r.Of, r.Code, r.Spec})
		}
		return p.document(struct {
			Schema string     `json:"schema"`
			Rules  []ruleJSON `json:"rules"`
		}{"tamthe/pki-lint-rules/1", list})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range pki.Rules() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Of, r.Code, r.Spec)
	}
	return w.Flush()
}

// linted is one object of a file, or what is none.
type linted struct {
	file string
	cert *cert.Certificate
	crl  *cert.CRL
	list *cms.SignedData
	sod  *lds.SOD
	err  error
}

type breachJSON struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Spec     string `json:"spec"`
	Detail   string `json:"detail,omitempty"`
}

type lintedJSON struct {
	File        string       `json:"file"`
	Kind        string       `json:"kind"` // certificate, crl, list, sod or unreadable
	Profile     string       `json:"profile,omitempty"`
	Subject     string       `json:"subject,omitempty"`
	Fingerprint string       `json:"fingerprint,omitempty"`
	Findings    []breachJSON `json:"findings"`
}

func runLint(p *program, paths []string, o lintOptions) error {
	var all []linted
	for _, path := range paths {
		b, err := p.input(path, cert.MaxCRL)
		if err != nil {
			return err
		}
		all = append(all, lintable(path, b)...)
	}
	result := struct {
		Schema   string       `json:"schema"`
		Files    []lintedJSON `json:"files"`
		Errors   int          `json:"errors"`
		Warnings int          `json:"warnings"`
	}{Schema: "tamthe/pki-lint/1"}
	for _, x := range all {
		j := x.lint(all, o.upload)
		for _, f := range j.Findings {
			if f.Severity == pki.Error.String() {
				result.Errors++
			} else {
				result.Warnings++
			}
		}
		result.Files = append(result.Files, j)
	}
	var err error
	if p.documents {
		err = p.document(result)
	} else {
		err = p.lintText(result.Files, result.Errors, result.Warnings)
	}
	if err == nil && result.Errors > 0 {
		return verdictError(exitRefused)
	}
	return err
}

// lintable reads what a file holds: one DER structure, or PEM blocks.
func lintable(path string, b []byte) []linted {
	var all []linted
	if len(b) > 0 && b[0] != 0x30 && b[0] != sodTag {
		for rest := b; ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			all = append(all, lintableDER(path, block.Bytes))
		}
	}
	if len(all) == 0 {
		all = append(all, lintableDER(path, b))
	}
	return all
}

// sodTag begins EF.SOD.
const sodTag = 0x77

func lintableDER(path string, der []byte) linted {
	if len(der) > 0 && der[0] == sodTag {
		s, err := lds.ParseSOD(der)
		return linted{file: path, sod: s, err: err}
	}
	c, err := cert.Parse(der)
	if err == nil {
		return linted{file: path, cert: c}
	}
	if r, crlErr := cert.ParseCRL(der); crlErr == nil {
		return linted{file: path, crl: r}
	}
	if s, cmsErr := cms.Parse(der); cmsErr == nil {
		return linted{file: path, list: s}
	}
	return linted{file: path, err: err}
}

// lint judges one entry; its issuer is looked for among all.
func (x linted) lint(all []linted, upload bool) lintedJSON {
	j := lintedJSON{File: x.file, Findings: []breachJSON{}}
	for _, b := range x.breaches(&j, all, upload) {
		j.Findings = append(j.Findings, breachJSON{b.Rule, b.Severity.String(), b.Spec, b.Detail})
	}
	return j
}

// breaches says what the entry is and which rules it breaks.
func (x linted) breaches(j *lintedJSON, all []linted, upload bool) []pki.Breach {
	switch {
	case x.cert != nil:
		profile := pki.ProfileOf(x.cert)
		fp := x.cert.Fingerprint()
		j.Kind, j.Profile, j.Subject, j.Fingerprint = "certificate", profile.String(), x.cert.Subject.String(), hex.EncodeToString(fp[:])
		if upload {
			return pki.LintUpload(x.cert)
		}
		return pki.Lint(x.cert, profile, issuerAmong(all, x.cert.Issuer, x.cert.AuthorityKeyID, x.cert.CheckSignature))
	case x.crl != nil:
		j.Kind, j.Subject = "crl", x.crl.Issuer.String()
		if upload {
			return pki.LintUploadCRL(x.crl)
		}
		return pki.LintCRL(x.crl, issuerAmong(all, x.crl.Issuer, x.crl.AuthorityKeyID, x.crl.CheckSignature))
	case x.list != nil:
		j.Kind = "list"
		if upload {
			return pki.LintUploadList(x.list)
		}
		return pki.LintList(x.list)
	case x.sod != nil:
		j.Kind = "sod"
		return pki.LintSOD(x.sod)
	}
	j.Kind = "unreadable"
	return []pki.Breach{{Rule: "malformed", Severity: pki.Error, Spec: "9303-12 §7.1", Detail: x.err.Error()}}
}

// issuerAmong returns the certificate whose name or key identifier is named and whose key
// made the signature, or nil.
func issuerAmong(all []linted, name cert.Name, keyID []byte, check func(cert.PublicKey) error) *cert.Certificate {
	for _, x := range all {
		c := x.cert
		if c == nil || c.KeyErr != nil || !c.Subject.Equal(name) && (len(keyID) == 0 || !bytes.Equal(c.SubjectKeyID, keyID)) {
			continue
		}
		if check(c.PublicKey) == nil {
			return c
		}
	}
	return nil
}

func (p *program) lintText(files []lintedJSON, errors, warnings int) error {
	words := map[string]phrase{"error": wordLintError, "warning": wordLintWarning, "certificate": wordLintCertificate, "crl": wordLintCRL, "list": wordLintList, "sod": wordLintSOD, "unreadable": wordLintUnreadable}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, f := range files {
		head := []string{verify.Escape(f.File), p.text(words[f.Kind])}
		if f.Profile != "" {
			head = append(head, f.Profile)
		}
		if f.Subject != "" {
			head = append(head, verify.Escape(f.Subject))
		}
		fmt.Fprintln(w, strings.Join(head, ": "))
		for _, b := range f.Findings {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", p.text(words[b.Severity]), b.Rule, b.Spec, verify.Escape(b.Detail))
		}
	}
	fmt.Fprintf(w, p.text(wordLintSum)+"\n", errors, warnings)
	return w.Flush()
}

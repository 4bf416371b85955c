// Package helpertest is a helper program for tests, in the protocol of keystore.Exec: it
// has the openssl command line make keys and sign, and it can be told to play a bad key
// holder. The test's own binary is the program: TestMain calls Run.
package helpertest

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

// The environment of the program: the folder of its keys, in which the file "mode" says
// how it behaves.
const dirVariable = "TAMTHE_TEST_KEY_HELPER"

// The ways to behave, beside the good one, when it is asked to sign.
const (
	Good    = ""
	Silent  = "silent"  // no answer
	Wrong   = "wrong"   // a signature of something else
	Swapped = "swapped" // a signature by another key
	Garbage = "garbage" // no JSON
	Endless = "endless" // a line without end
	Dies    = "dies"    // the program ends
	Late    = "late"    // the answer to another request
	Refuses = "refuses" // an error of the protocol
	Strange = "strange" // an error that the protocol does not know
)

// Helper is a program and its folder.
type Helper struct{ Program, Dir string }

// New makes a helper with a folder of its own; without openssl the test is skipped.
func New(t testing.TB) *Helper {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := &Helper{program, t.TempDir()}
	t.Setenv(dirVariable, h.Dir)
	return h
}

// Behave says how the program behaves from now on.
func (h *Helper) Behave(t testing.TB, mode string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.Dir, "mode"), []byte(mode), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Run is the program, if this process was started as one: it does not return then.
func Run() {
	dir := os.Getenv(dirVariable)
	if dir == "" || len(os.Args) > 1 {
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			os.Exit(1)
		}
		b, err := json.Marshal(play(dir, r))
		if err != nil {
			os.Exit(1)
		}
		fmt.Printf("%s\n", b)
	}
	os.Exit(0)
}

type request struct {
	ID                                      uint64
	Op, Key, Algorithm, Scheme, Hash, Input string
	Salt                                    int
}

// play answers one request.
func play(dir string, r request) map[string]any {
	answer := map[string]any{"id": r.ID}
	mode, err := os.ReadFile(filepath.Join(dir, "mode"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		os.Exit(1)
	}
	if r.Op == "sign" {
		misbehave(string(mode), answer, &r)
	}
	path := filepath.Join(dir, r.Key+".pem")
	_, missing := os.Stat(path)
	fail := func(kind string) map[string]any {
		answer["error"], answer["message"] = kind, "as the test wants it"
		return answer
	}
	switch {
	case answer["error"] != nil:
	case r.Op == "generate" && missing == nil:
		return fail("exists")
	case r.Op != "generate" && missing != nil:
		return fail("missing")
	case r.Op == "generate":
		if !generate(path, r.Algorithm) {
			return fail("algorithm")
		}
		answer["public"] = public(path)
	case r.Op == "public":
		answer["public"] = public(path)
	case r.Op == "destroy":
		if os.Remove(path) != nil {
			os.Exit(1)
		}
	case r.Op == "sign":
		answer["signature"] = sign(path, r)
	default:
		return fail("unknown")
	}
	return answer
}

func misbehave(mode string, answer map[string]any, r *request) {
	switch mode {
	case Silent:
		time.Sleep(time.Hour)
	case Wrong:
		r.Input = strings.Repeat("5a", len(r.Input)/2)
	case Swapped:
		r.Key = "other"
	case Garbage:
		fmt.Println("Segmentation fault")
		os.Exit(1)
	case Endless:
		for {
			if _, err := os.Stdout.Write(bytes.Repeat([]byte{'x'}, 4096)); err != nil {
				os.Exit(1)
			}
		}
	case Dies:
		os.Exit(3)
	case Late:
		answer["id"] = r.ID - 1
	case Refuses:
		answer["error"], answer["message"] = "refused", "the key may not be used at this hour"
	case Strange:
		answer["error"], answer["message"] = "moon", "the moon is full"
	}
}

func openssl(stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.Command("openssl", args...)
	cmd.Stdin = bytes.NewReader(stdin)
	return cmd.Output()
}

func generate(path, algorithm string) bool {
	args := []string{"genpkey", "-out", path, "-algorithm"}
	switch bits, isRSA := strings.CutPrefix(algorithm, "RSA-"); {
	case isRSA:
		args = append(args, "RSA", "-pkeyopt", "rsa_keygen_bits:"+bits)
	case algorithm == "Ed25519":
		args = append(args, "ED25519")
	default:
		args = append(args, "EC", "-pkeyopt", "ec_paramgen_curve:"+algorithm)
	}
	_, err := openssl(nil, args...)
	return err == nil
}

func public(path string) string {
	der, err := openssl(nil, "pkey", "-in", path, "-pubout", "-outform", "DER")
	if err != nil {
		os.Exit(1)
	}
	return hex.EncodeToString(der)
}

func sign(path string, r request) string {
	input, err := hex.DecodeString(r.Input)
	if err != nil {
		os.Exit(1)
	}
	file := path + ".in" // OpenSSL 3.0 signs a raw message from a file only
	if err := os.WriteFile(file, input, 0o600); err != nil {
		os.Exit(1)
	}
	args := []string{"pkeyutl", "-sign", "-inkey", path, "-in", file}
	hash := "digest:" + strings.ReplaceAll(r.Hash, "-", "")
	switch r.Scheme {
	case "ed25519":
		args = append(args, "-rawin")
	case "rsa-pss":
		args = append(args, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", hash, "-pkeyopt", fmt.Sprintf("rsa_pss_saltlen:%d", r.Salt))
	default:
		args = append(args, "-pkeyopt", hash)
	}
	sig, err := openssl(nil, args...)
	if err != nil {
		os.Exit(1)
	}
	return hex.EncodeToString(sig)
}

package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestPasswordIsNotPrinted(t *testing.T) {
	for _, p := range []Password{CAN("739184"), MRZ("739184<<<")} {
		var out strings.Builder
		slog.New(slog.NewTextHandler(&out, nil)).Info("password", "p", p, "pointer", &p)
		j, err := json.Marshal(map[string]any{"p": p, "pointer": &p})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%v %+v %#v %s %q %v %s", p, p, p, p, p, &p, j)
		if s := fmt.Sprintf("%d", p); s != fmt.Sprint(p) {
			t.Errorf("%%d prints %s", s)
		}
		if s := out.String(); strings.Contains(s, "7391") || strings.Contains(s, "37333931") || strings.Contains(s, "0x37") || strings.Contains(s, "55 51") {
			t.Errorf("printed: %s", s)
		}
		if !strings.Contains(out.String(), p.Name()) {
			t.Errorf("the kind is not told: %s", out.String())
		}
	}
}

func TestPasswordDestroy(t *testing.T) {
	p := CAN("739184")
	twin := p
	secret := p.secret()
	p.Destroy()
	p.Destroy()
	if !bytes.Equal(secret, make([]byte, 6)) || p.Name() != "" || twin.Reference() != RefCAN {
		t.Errorf("%X is left", secret)
	}
	for _, copied := range []Password{p, twin, twin.At(9)} {
		if k, err := copied.PACESecret(); k != nil || !errors.Is(err, ErrPassword) {
			t.Errorf("a destroyed password is of use: %X, %v", k, err)
		}
	}
}

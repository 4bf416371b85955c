package witness

import (
	"bytes"
	"testing"
)

func FuzzRequest(f *testing.F) {
	f.Add([]byte("old 0\n\nexample.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parseRequest(body); err == nil && !bytes.Equal(r.text(), body) {
			t.Errorf("%q is also %q", body, r.text())
		}
	})
}

package credential

import (
	"bytes"
	"compress/zlib"
)

// packBomb is a list that unpacks to more than any has.
func packBomb() (statusList, error) {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range maxStatusList>>20 + 1 {
		if _, err := z.Write(zeros); err != nil {
			return statusList{}, err
		}
	}
	err := z.Close()
	return statusList{listBits, b64.EncodeToString(b.Bytes())}, err
}

package population

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// ethnicities are the names of the peoples by their number in the State's list of 1979.
var ethnicities = [...]string{
	1: "Kinh", 2: "Tày", 3: "Thái", 4: "Hoa", 5: "Khơ-me", 6: "Mường", 7: "Nùng", 8: "HMông", 9: "Dao", 10: "Gia-rai",
	11: "Ngái", 12: "Ê-đê", 13: "Ba-na", 14: "Xơ-đăng", 15: "Sán Chay", 16: "Cơ-ho", 17: "Chăm", 18: "Sán Dìu", 19: "Hrê", 20: "Mnông",
	21: "Ra-glai", 22: "Xtiêng", 23: "Bru-Vân Kiều", 24: "Thổ", 25: "Giáy", 26: "Cơ-tu", 27: "Gié-Triêng", 28: "Mạ", 29: "Khơ-mú", 30: "Co",
	31: "Tà-ôi", 32: "Chơ-ro", 33: "Kháng", 34: "Xinh-mun", 35: "Hà Nhì", 36: "Chu-ru", 37: "Lào", 38: "La Chí", 39: "La Ha", 40: "Phù Lá",
	41: "La Hủ", 42: "Lự", 43: "Lô Lô", 44: "Chứt", 45: "Mảng", 46: "Pà Thẻn", 47: "Cơ Lao", 48: "Cống", 49: "Bố Y", 50: "Si La",
	51: "Pu Péo", 52: "Brâu", 53: "Ơ-đu", 54: "Rơ-măm",
}

// Ethnicities are the names of the peoples in the State's list of 1979, in its order.
func Ethnicities() []string { return slices.Clone(ethnicities[1:]) }

// spellings are other ways to write a people's name, which are no other people.
var spellings = map[string]string{"mông": "hmông", "khmer": "khơme", "khome": "khơme"}

// compareEthnicity compares a people's name as the card has it with the register's name or
// number.
func compareEthnicity(application, register string) (Class, Cause) {
	if len(register) == 2 && register[0] >= '0' && register[0] <= '9' && register[1] >= '0' && register[1] <= '9' {
		n := int(register[0]-'0')*10 + int(register[1]-'0')
		if n == 0 || n >= len(ethnicities) {
			return Mismatch, RegisterCode
		}
		register = ethnicities[n]
	}
	class, cause := compareSilent(application, register)
	if class == Mismatch && cause != ApplicationSilent && people(application) == people(register) {
		return Explainable, Spelling
	}
	return class, cause
}

// people is a people's name without the signs that are written or not.
func people(s string) string {
	key := vn.MatchKey(strings.NewReplacer("-", "", "'", "", "’", "", " ", "", ".", "").Replace(norm.NFC.String(s)))
	if other, ok := spellings[key]; ok {
		return other
	}
	return key
}

// compareReligion compares a religion with the register's text or number. No list of the
// numbers is published; 00 stands for none.
func compareReligion(application, register string) (Class, Cause) {
	if len(register) == 2 && strings.Trim(register, "0123456789") == "" {
		if key := vn.MatchKey(application); register == "00" && (key == "" || key == vn.MatchKey("Không")) {
			return Explainable, RegisterCode
		}
		return Mismatch, RegisterCode
	}
	return compareSilent(application, register)
}

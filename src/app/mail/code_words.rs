//! What a letter with a code says: what the code is for, and what is to be done by whoever knows nothing of it.

use crate::ports::mail::transport::CodeAbout;

pub fn english(about: CodeAbout) -> [&'static str; 2] {
    match about {
        CodeAbout::SignUp => [
            "Somebody signed up with this address. If it was you, this code makes your account.",
            "If you did not sign up, do nothing: without the code there is no account.",
        ],
        CodeAbout::SignUpAgain => [
            "Somebody signed up with this address, which has an account already. If it was you, this code logs you in.",
            "If it was not you, do nothing: nothing was changed.",
        ],
        CodeAbout::LogIn => [
            "This code logs you in, and lets you set a new password.",
            "If you did not ask for it, do nothing: nobody was logged in.",
        ],
        CodeAbout::NewAddress => [
            "Somebody wants to use this address for an account of ours. If it was you, this code makes it so.",
            "If you do not know of it, do nothing: nothing is changed without the code.",
        ],
    }
}

pub fn chinese(about: CodeAbout) -> [&'static str; 2] {
    match about {
        CodeAbout::SignUp => [
            "有人以此電子郵件地址註冊。若是您本人，請以此驗證碼完成帳號建立。",
            "若您並未註冊，請忽略本郵件；沒有驗證碼就不會建立帳號。",
        ],
        CodeAbout::SignUpAgain => [
            "有人以此電子郵件地址註冊，但此地址已有帳號。若是您本人，請以此驗證碼登入。",
            "若不是您本人，請忽略本郵件；您的帳號沒有任何變更。",
        ],
        CodeAbout::LogIn => {
            ["請以此驗證碼登入，您也可以同時設定新密碼。", "若您並未提出申請，請忽略本郵件；沒有人登入您的帳號。"]
        }
        CodeAbout::NewAddress => [
            "有人想將此電子郵件地址用於商店帳號。若是您本人，請以此驗證碼確認。",
            "若您不知情，請忽略本郵件；沒有驗證碼就不會有任何變更。",
        ],
    }
}

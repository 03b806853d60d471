//! Who people are: Digital ID login, citizens, companies and mandates, our own tokens.

"""Where does the transpose stand? One screen: a dense layer and its way back in four layouts."""
